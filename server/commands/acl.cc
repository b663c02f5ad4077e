#include "server/commands/acl.h"

#include <algorithm>

#include "base/check.h"
#include "server/commands/letter_case.h"

namespace redraft::commands {

namespace {

constexpr std::size_t kHashSize = 64;

Status wrong(std::string_view why) {
  return Error{ErrorCode::kInvalid, std::string(why)};
}

Error error_line(std::string line) {
  return {ErrorCode::kInvalid, std::move(line)};
}

bool is_hash(std::string_view text) {
  return text.size() == kHashSize &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

AclSelector new_selector(bool channels_by_default) {
  AclSelector selector;
  selector.all_channels = channels_by_default;
  return selector;
}

AclUser new_user(bool channels_by_default) {
  AclUser user;
  user.selectors.front() = new_selector(channels_by_default);
  return user;
}

AclUser default_user_of_old() {
  AclUser user;
  for (const std::string_view rule : {"on", "nopass", "~*", "&*", "+@all"}) {
    ensure(user.apply(rule, false).ok(), "the default user's rules are valid");
  }
  return user;
}

}  // namespace

Result<std::vector<std::string>> join_selectors(std::span<const std::string_view> rules) {
  std::vector<std::string> joined;
  bool open = false;
  for (const std::string_view rule : rules) {
    if (open) {
      joined.back() += " ";
      joined.back() += rule;
    } else {
      joined.emplace_back(rule);
    }
    if (!open && rule.starts_with('(')) open = true;
    if (open && rule.ends_with(')')) open = false;
  }
  if (open) {
    return error_line("ERR Unmatched parenthesis in acl selector starting at '" +
                      joined.back().substr(0, joined.back().find(' ')) + "'.");
  }
  return joined;
}

// ---- One user

Status AclUser::apply(std::string_view rule, bool channels_by_default) {
  const auto is = [rule](std::string_view word) { return equals_ignoring_case(rule, word); };
  if (is("on") || is("off")) {
    enabled = is("on");
  } else if (is("nopass")) {
    no_password = true;
    passwords.clear();
  } else if (is("skip-sanitize-payload") || is("sanitize-payload")) {
    sanitize_payload = is("sanitize-payload");
  } else if (is("resetpass")) {
    no_password = false;
    passwords.clear();
  } else if (rule.starts_with('#') || rule.starts_with('!')) {
    const std::string hash(rule.substr(1));
    if (!is_hash(hash)) {
      return wrong("The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
    }
    const auto known = std::ranges::find(passwords, hash);
    if (rule.front() == '!') {
      if (known == passwords.end()) return wrong("The password you are trying to remove from the user does not exist");
      passwords.erase(known);
    } else {
      if (known == passwords.end()) passwords.push_back(hash);
      no_password = false;
    }
  } else if (rule.starts_with('(') && rule.ends_with(')')) {
    AclSelector selector = new_selector(channels_by_default);
    for (const std::string_view word : split_words(rule.substr(1, rule.size() - 2))) {
      if (Status applied = selector.apply(word); !applied) return applied;
    }
    selectors.push_back(std::move(selector));
  } else if (is("clearselectors")) {
    selectors.resize(1);
  } else if (is("reset")) {
    const std::uint32_t kept = id;
    *this = new_user(channels_by_default);
    id = kept;
  } else {
    return selectors.front().apply(rule);
  }
  return Done{};
}

std::string AclUser::describe() const {
  std::string text = enabled ? "on " : "off ";
  if (no_password) text += "nopass ";
  text += sanitize_payload ? "sanitize-payload " : "skip-sanitize-payload ";
  for (const std::string& password : passwords) text += "#" + password + " ";
  text += selectors.front().describe();
  for (std::size_t i = 1; i < selectors.size(); ++i) text += " (" + selectors[i].describe() + ")";
  return text;
}

// Takes as long for a wrong first letter as for a wrong last one.
bool AclUser::has_password(std::string_view hash) const {
  bool found = false;
  for (const std::string& password : passwords) {
    unsigned char difference = password.size() == hash.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(hash.size(), password.size()); ++i) {
      difference = static_cast<unsigned char>(difference | static_cast<unsigned char>(password[i] ^ hash[i]));
    }
    found = found || difference == 0;
  }
  return found;
}

// ---- All users

AclUsers::AclUsers() {
  users_.emplace("default", default_user_of_old());
  index();
}

void AclUsers::index() {
  by_id_.clear();
  for (auto user = users_.cbegin(); user != users_.cend(); ++user) by_id_.emplace(user->second.id, user);
  default_unrestricted_ = default_user().unrestricted();
}

void AclUsers::adopt(const store::Store::Users& users, bool channels_by_default) {
  users_.clear();
  for (const auto& [name, stored] : users) {
    AclUser& user = users_[name];
    user.id = stored.id;
    const std::vector<std::string_view> words = split_words(stored.rules);
    const Result<std::vector<std::string>> rules = join_selectors(words);
    ensure(rules.ok(), "users' rules were checked before they were stored");
    for (const std::string& rule : *rules) {
      // A rule about a command that this release does not have says nothing here.
      static_cast<void>(user.apply(rule, channels_by_default));
    }
  }
  users_.try_emplace("default", default_user_of_old());
  index();
}

const AclUser* AclUsers::find(std::string_view name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : &found->second;
}

const AclUser* AclUsers::find(std::uint32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second->second;
}

std::string_view AclUsers::name_of(std::uint32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? std::string_view() : std::string_view(found->second->first);
}

// On a copy: a rule that is refused leaves the user as it was.
Status AclUsers::set_user(ByName& users, std::span<const std::string_view> change, bool channels_by_default) {
  const std::string_view name = change[1];
  if (std::ranges::any_of(name, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; })) {
    return error_line("ERR Usernames can't contain spaces or null characters");
  }
  const Result<std::vector<std::string>> rules = join_selectors(change.subspan(2));
  if (!rules) return rules.error();
  const auto known = users.find(name);
  AclUser user = known == users.end() ? new_user(channels_by_default) : known->second;
  for (const std::string& rule : *rules) {
    if (Status applied = user.apply(rule, channels_by_default); !applied) {
      return error_line("ERR Error in ACL SETUSER modifier '" + rule + "': " + applied.error().message);
    }
  }
  users.insert_or_assign(std::string(name), std::move(user));
  return Done{};
}

Result<AclUsers::ByName> AclUsers::load(std::span<const std::string_view> change, bool channels_by_default) {
  ByName users;
  users.emplace("default", default_user_of_old());
  for (std::size_t i = 1; i + 1 < change.size(); i += 2) {
    std::vector<std::string_view> one{"setuser", change[i]};
    const std::vector<std::string_view> rules = split_words(change[i + 1]);
    one.insert(one.end(), rules.begin(), rules.end());
    if (change[i] == "default") users["default"] = new_user(channels_by_default);
    if (Status set = set_user(users, one, channels_by_default); !set) return set.error();
  }
  return users;
}

Status AclUsers::check(std::span<const std::string_view> change, bool channels_by_default) const {
  if (change[0] == "setuser") {
    ByName users;
    if (const AclUser* known = find(change[1])) users.emplace(change[1], *known);
    return set_user(users, change, channels_by_default);
  }
  if (change[0] == "load") {
    Result<ByName> users = load(change, channels_by_default);
    return users ? Status(Done{}) : Status(users.error());
  }
  if (std::ranges::find(change.subspan(1), "default") != change.end()) {
    return error_line("ERR The 'default' user cannot be removed");
  }
  return Done{};
}

Result<std::int64_t> AclUsers::change(std::span<const std::string_view> change, store::Store& store) {
  const bool channels_by_default = store.setting("acl-pubsub-default") == "allchannels";
  if (Status fits = check(change, channels_by_default); !fits) return fits.error();
  std::int64_t deleted = 0;
  const auto keep = [&](std::string_view name) {
    AclUser& user = users_.find(name)->second;
    user.id = store.set_user(name, user.describe());
  };
  const auto drop = [&](std::string_view name) {
    const auto found = users_.find(name);
    if (found == users_.end()) return;
    users_.erase(found);
    store.remove_user(name);
    ++deleted;
  };
  if (change[0] == "setuser") {
    ensure(set_user(users_, change, channels_by_default).ok(), "the change was checked");
    keep(change[1]);
  } else if (change[0] == "deluser") {
    for (const std::string_view name : change.subspan(1)) drop(name);
  } else {
    Result<ByName> loaded = load(change, channels_by_default);
    std::vector<std::string> gone;
    for (const auto& [name, user] : users_) {
      if (!loaded->contains(name)) gone.push_back(name);
    }
    for (const std::string& name : gone) drop(name);
    users_ = std::move(*loaded);
    for (const auto& [name, user] : users_) keep(name);
  }
  index();
  return deleted;
}

}  // namespace redraft::commands
