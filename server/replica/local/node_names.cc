#include "server/replica/local/node_names.h"

namespace redraft::replica::local {

namespace {

// Not a secret and not a digest: only even spreading and stability are asked for (FNV-1a, finished as in SplitMix64).
std::string forty_digits(std::string_view what, const NodeView& view, std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (std::uint64_t lane = 1; lane <= 3; ++lane) {
    std::uint64_t hash = 0xcbf29ce484222325u + lane * 0x9e3779b97f4a7c15u;
    const auto mix = [&hash](std::string_view bytes) {
      for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    };
    mix(what);
    mix(view.cluster_id);
    for (int shift = 0; shift < 64; shift += 8) hash = (hash ^ ((number >> shift) & 0xff)) * 0x100000001b3u;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    hash ^= hash >> 31;
    for (int shift = 60; shift >= 0 && name.size() < 40; shift -= 4) name += kDigits[(hash >> shift) & 15];
  }
  return name;
}

}  // namespace

std::string node_name(const NodeView& view, std::uint64_t node) {
  return forty_digits("node", view, node);
}
std::string shard_name(const NodeView& view) {
  return forty_digits("shard", view, 0);
}
std::string replication_name(const NodeView& view) {
  return forty_digits("replication", view, 0);
}
std::string run_name(const NodeView& view) {
  return forty_digits("run", view, view.node * 0x9e3779b97f4a7c15u + view.boot);
}
std::uint64_t slot_owner(const NodeView& view) {
  return view.leader != 0 ? view.leader : view.last_leader;
}

}  // namespace redraft::replica::local
