#pragma once

#include <string_view>

struct lua_State;

namespace redraft::scripting {

// What the sandbox consists of. Each opens its part on top of Lua's own libraries, or instead of them, in the globals
// of a state that is being built.
void open_base(lua_State* lua);
void open_tables(lua_State* lua);
void open_strings(lua_State* lua);
void open_math(lua_State* lua);
void open_bit(lua_State* lua);
void open_struct(lua_State* lua);
void open_json(lua_State* lua);
void open_msgpack(lua_State* lua);
void open_redis(lua_State* lua);
// redis.register_function, which only a library that is being loaded may call.
int register_function(lua_State* lua);
// After all others: what scripts see are stand-ins that cannot be changed.
void protect_globals(lua_State* lua);

// Keys in the registry.
inline constexpr const char* kGlobalsKey = "globals";           // the table behind what scripts see as _G
inline constexpr const char* kLoadGlobalsKey = "load globals";  // the same while a library is loaded
inline constexpr const char* kMainKey = "main";                 // a script's function
inline constexpr const char* kFunctionsKey = "functions";       // of a library, by name

// Ends the C function with Redis's error object {err = text}; without a code "ERR" is put in front, "-CODE text" names
// one.
[[noreturn]] void raise_error(lua_State* lua, std::string_view error);
void push_error(lua_State* lua, std::string_view error);

// Puts a read-only stand-in for the table on top of the stack in its place.
void protect_table(lua_State* lua);
// The table that a stand-in at `index` stands for is pushed; false, and nothing pushed, when it is none.
bool push_protected(lua_State* lua, int index);
// While a library is loaded, scripts see other globals.
void show_globals(lua_State* lua, const char* key);

}  // namespace redraft::scripting
