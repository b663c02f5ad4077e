#pragma once

#include <cstdint>
#include <string_view>

#include "server/commands/command.h"

namespace redraft::commands {

// Makers of table lines. They add what Redis derives from the flags, so that a line says each thing once.

// The ACL categories that follow from the flags (server.c, setImplicitACLCategories).
[[nodiscard]] constexpr std::uint32_t implied_categories(std::uint32_t flags, std::uint32_t categories) {
  std::uint32_t implied = (flags & kFast) != 0 ? kFastCategory : kSlow;
  if ((flags & kWrite) != 0) implied |= kWriteCategory;
  if ((flags & kReadonly) != 0 && (categories & kScripting) == 0) implied |= kRead;
  if ((flags & kAdmin) != 0) implied |= kAdminCategory | kDangerous;
  if ((flags & kPubsub) != 0) implied |= kPubsubCategory;
  if ((flags & kBlocking) != 0) implied |= kBlockingCategory;
  return implied;
}

[[nodiscard]] constexpr Command table_line(std::string_view name, CommandId id, int arity, std::uint32_t flags,
                                           std::uint32_t categories, KeyRange range, Where where, Handler handler,
                                           FindKeys find_keys) {
  Command command;
  command.name = name;
  command.id = id;
  command.arity = static_cast<std::int16_t>(arity);
  command.flags = find_keys != nullptr ? flags | kMovableKeys : flags;
  command.categories = categories | implied_categories(flags, categories);
  command.range = range;
  command.where = where;
  command.handler = handler;
  command.find_keys = find_keys;
  return command;
}

[[nodiscard]] constexpr Command data(std::string_view name, CommandId id, int arity, std::uint32_t flags,
                                     std::uint32_t categories, KeyRange range, Handler handler = nullptr,
                                     FindKeys find_keys = nullptr) {
  return table_line(name, id, arity, flags, categories, range, Where::kLeader, handler, find_keys);
}

[[nodiscard]] constexpr Command local(std::string_view name, CommandId id, int arity, std::uint32_t flags,
                                      std::uint32_t categories, KeyRange range) {
  return table_line(name, id, arity, flags, categories, range, Where::kLocal, nullptr, nullptr);
}

[[nodiscard]] constexpr Command forward(std::string_view name, CommandId id, int arity, std::uint32_t flags,
                                        std::uint32_t categories, KeyRange range) {
  return table_line(name, id, arity, flags, categories, range, Where::kForward, nullptr, nullptr);
}

[[nodiscard]] constexpr Command container(std::string_view name, CommandId id, std::uint32_t flags) {
  Command command = table_line(name, id, -2, flags, 0, {}, Where::kLocal, nullptr, nullptr);
  command.is_container = true;
  return command;
}

}  // namespace redraft::commands
