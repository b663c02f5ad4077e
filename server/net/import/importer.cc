#include "server/net/import/importer.h"

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "server/commands/rdb/values.h"

namespace redraft::net {
namespace {

constexpr std::size_t kUnansweredMax = std::size_t{8} << 20;
constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kPause{200};
constexpr std::uint64_t kErrorsShown = 20;

std::string encode(const std::vector<std::string_view>& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n";
    bytes += word;
    bytes += "\r\n";
  }
  return bytes;
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text.starts_with(word)) return true;
  }
  return false;
}

}  // namespace

int Importer::run() {
  Result<MappedFile> mapped = MappedFile::open(options_.path);
  if (!mapped) {
    std::fprintf(stderr, "%s\n", mapped.error().message.c_str());
    return 1;
  }
  Result<RdbFile> file = RdbFile::check(mapped->bytes());
  if (!file) {
    std::fprintf(stderr, "%s: %s\n", options_.path.c_str(), file.error().message.c_str());
    return 1;
  }
  last_answer_ = last_shown_ = std::chrono::steady_clock::now();
  const Status loaded = load(*file, mapped->bytes().size());
  const std::uint64_t size = mapped->bytes().size();
  show_progress(loaded ? size : file->position(), size, true);
  if (!loaded) std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
  return loaded.ok() && failed_ == 0 && of_modules_ == 0 ? 0 : 1;
}

Status Importer::load(RdbFile& file, std::uint64_t size) {
  for (;;) {
    const Result<RdbItem> item = file.next();
    if (!item) return item.error();
    if (item->kind == RdbItem::Kind::kEnd) return settle(0);
    if (item->kind == RdbItem::Kind::kModuleKey) {
      ++of_modules_;
      continue;
    }
    add(*item);
    if (Status settled = settle(kUnansweredMax); !settled) return settled;
    show_progress(file.position(), size, false);
  }
}

void Importer::add(const RdbItem& item) {
  Request request;
  request.db = item.db;
  if (item.kind == RdbItem::Kind::kFunctions) {
    request.name = "a function library";
    request.bytes = encode({"FUNCTION", "LOAD", "REPLACE", RdbItem::text(item.value)});
  } else {
    request.name = RdbItem::text(item.key);
    std::string payload(1, static_cast<char>(item.type));
    payload += item.value;
    rdb::seal_payload(payload, rdb::kVersionMax);
    const std::string deadline = std::to_string(item.deadline_ms);
    std::vector<std::string_view> words{"RESTORE", request.name, deadline, payload, "REPLACE", "ABSTTL"};
    const std::string use = std::to_string(item.idle_seconds >= 0 ? item.idle_seconds : item.frequency);
    if (item.idle_seconds >= 0 || item.frequency >= 0) {
      words.push_back(item.idle_seconds >= 0 ? "IDLETIME" : "FREQ");
      words.push_back(use);
    }
    request.bytes = encode(words);
  }
  bytes_ += request.bytes.size();
  requests_.push_back(std::move(request));
}

Status Importer::settle(std::size_t bytes_max) {
  for (;;) {
    if (std::chrono::steady_clock::now() - last_answer_ > kPatience) {
      return Error{ErrorCode::kIo, "given up after a minute without an answer: " + trouble_};
    }
    if (!client_.connected()) {
      if (Status connected = connect(); !connected) {
        restart(connected.error().message);
        continue;
      }
    }
    if (Status sent = send_new(); !sent) {
      restart(sent.error().message);
      continue;
    }
    if (bytes_ <= bytes_max && (bytes_max != 0 || requests_.empty())) return Done{};
    const Result<resp::Reply> reply = client_.receive();
    if (!reply) {
      restart(reply.error().message);
      continue;
    }
    if (Status taken = take_reply(*reply); !taken) return taken;
  }
}

Status Importer::connect() {
  sent_ = 0;
  expected_.clear();
  db_.reset();
  if (Status connected = client_.connect(address_); !connected) return connected;
  if (options_.password.empty()) return Done{};
  expected_.push_back(false);
  return client_.send(options_.user.empty() ? encode({"AUTH", options_.password})
                                            : encode({"AUTH", options_.user, options_.password}));
}

Status Importer::send_new() {
  std::string bytes;
  for (; sent_ < requests_.size(); ++sent_) {
    const Request& request = requests_[sent_];
    if (db_ != request.db) {
      db_ = request.db;
      bytes += encode({"SELECT", std::to_string(request.db)});
      expected_.push_back(false);
    }
    bytes += request.bytes;
    expected_.push_back(true);
  }
  return client_.send(bytes);
}

Status Importer::take_reply(const resp::Reply& reply) {
  const bool of_request = !expected_.empty() && expected_.front();
  if (!expected_.empty()) expected_.pop_front();
  const bool refused = reply.type == resp::Reply::Type::kError;
  if (!of_request) {
    if (refused) return Error{ErrorCode::kInvalid, "the server refuses: " + reply.text};
    return Done{};
  }
  if (refused && reply.text.starts_with("MOVED ")) {
    const Result<ServerAddress> leader = ServerAddress::parse(reply.text.substr(reply.text.rfind(' ') + 1));
    if (leader) address_ = *leader;
    client_.close();
    return Done{};
  }
  // Not executed, or nobody knows: it is sent again, which does no harm.
  if (refused && starts_with_any(reply.text, {"CLUSTERDOWN", "INDOUBT", "LOADING", "MASTERDOWN", "MISCONF", "OOM",
                                              "READONLY", "TRYAGAIN"})) {
    restart(reply.text);
    return Done{};
  }
  last_answer_ = std::chrono::steady_clock::now();
  const Request& request = requests_.front();
  if (refused) {
    if (++failed_ <= kErrorsShown) std::fprintf(stderr, "%s: %s\n", request.name.c_str(), reply.text.c_str());
  } else {
    ++(request.bytes.starts_with("*4\r\n$8\r\nFUNCTION") ? libraries_ : keys_);
  }
  bytes_ -= request.bytes.size();
  requests_.pop_front();
  --sent_;
  return Done{};
}

void Importer::restart(const std::string& why) {
  trouble_ = why;
  client_.close();
  std::this_thread::sleep_for(kPause);
}

void Importer::show_progress(std::uint64_t done, std::uint64_t size, bool last) {
  const auto now = std::chrono::steady_clock::now();
  if (!last && now - last_shown_ < std::chrono::seconds(1)) return;
  last_shown_ = now;
  const std::uint64_t percent = size == 0 ? 100 : done * 100 / size;
  std::printf("%llu%%: %llu keys, %llu function libraries", static_cast<unsigned long long>(percent),
              static_cast<unsigned long long>(keys_), static_cast<unsigned long long>(libraries_));
  if (failed_ != 0) std::printf(", %llu refused", static_cast<unsigned long long>(failed_));
  if (of_modules_ != 0) std::printf(", %llu values of modules left out", static_cast<unsigned long long>(of_modules_));
  std::printf("\n");
  std::fflush(stdout);
}

std::optional<int> run_import_tool(std::span<const std::string> arguments) {
  if (arguments.empty() || arguments[0] != "--import") return std::nullopt;
  const auto usage = [] {
    std::fputs("Usage: redraft-server --import FILE HOST:PORT [--user NAME] [--pass PASSWORD]\n", stderr);
    return 1;
  };
  if (arguments.size() < 3 || arguments.size() % 2 == 0) return usage();
  Importer::Options options;
  options.path = arguments[1];
  const Result<ServerAddress> server = ServerAddress::parse(arguments[2]);
  if (!server) return usage();
  options.server = *server;
  if (const char* password = std::getenv("REDISCLI_AUTH")) options.password = password;
  for (std::size_t i = 3; i < arguments.size(); i += 2) {
    if (arguments[i] != "--user" && arguments[i] != "--pass") return usage();
    (arguments[i] == "--user" ? options.user : options.password) = arguments[i + 1];
  }
  return Importer(std::move(options)).run();
}

}  // namespace redraft::net
