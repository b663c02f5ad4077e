#pragma once

#include <string_view>

#include "resp/writer.h"

struct lua_State;

namespace redraft::scripting {

// Between RESP and Lua's values (redis.io/docs/interact/programmability/lua-api, "Data type conversion").

// Pushes the value of one complete reply, RESP2 or RESP3, as a command wrote it.
void push_reply(lua_State* lua, std::string_view reply);
// Writes the value on top of the stack and pops it. Raises when there is no end of it.
void write_reply(lua_State* lua, resp::Writer& reply);

}  // namespace redraft::scripting
