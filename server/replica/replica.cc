#include "server/replica/replica.h"

#include "server/replica/engine.h"

namespace redraft::replica {

Replica::Replica(Settings& settings, Host& host, std::uint64_t seed, Time now)
    : engine_(std::make_unique<Engine>(settings, host, seed, now)) {}

Replica::~Replica() = default;

void Replica::loading_progress(std::uint64_t bytes_read, std::uint64_t bytes_total) {
  engine_->loading_progress(bytes_read, bytes_total);
}
void Replica::start(std::unique_ptr<Recovered> recovered) {
  engine_->start(std::move(recovered));
}
void Replica::advance(Time now) {
  engine_->advance(now);
}
void Replica::end_turn() {
  engine_->end_turn();
}

Session& Replica::client_connected(ClientAddress address) {
  return engine_->client_connected(std::move(address));
}
std::span<char> Replica::input_space(Session& session, std::size_t suggested) {
  return engine_->input_space(session, suggested);
}
void Replica::client_input(Session& session, std::size_t size) {
  engine_->client_input(session, size);
}
void Replica::client_closed(Session& session) {
  engine_->client_closed(session);
}
std::uint64_t Replica::clients_memory_max() {
  // Less would leave nobody to raise it.
  constexpr std::uint64_t kMin = std::uint64_t{128} << 10;
  const std::int64_t asked = settings().values().maxmemory_clients;
  if (asked == 0) return 0;
  if (asked > 0) return std::max(kMin, static_cast<std::uint64_t>(asked));
  const store::Store* data = store();
  const std::uint64_t maxmemory = data == nullptr ? 0 : data->setting_number("maxmemory", 0);
  return maxmemory == 0 ? 0 : std::max(kMin, maxmemory / 100 * static_cast<std::uint64_t>(-asked));
}

bool Replica::admit_admin(const ClientAddress& address) const {
  return engine_->admit_admin(address);
}

void Replica::link_up(LinkId link, std::uint64_t dialled_node, Lane lane) {
  engine_->peers().link_up(link, dialled_node, lane, engine_->now());
}
void Replica::link_input(LinkId link, SharedBytes frame) {
  engine_->peers().link_input(link, std::move(frame), engine_->now());
}
void Replica::link_down(LinkId link, bool garbled) {
  engine_->peers().link_down(link, garbled);
}
void Replica::dial_failed(std::uint64_t node, Lane lane, bool refused) {
  engine_->peers().dial_failed(node, lane, refused);
}

void Replica::disk_done(DiskDone done) {
  engine_->disk_done(std::move(done));
}
void Replica::bulk_done(BulkDone done) {
  engine_->bulk_done(std::move(done));
}
void Replica::call_done(ServerCallDone done) {
  engine_->call_done(std::move(done));
}
void Replica::terminate(int exit_status) {
  engine_->terminate(exit_status);
}

Phase Replica::phase() const {
  return engine_->phase();
}
Time Replica::now() const {
  return engine_->now();
}
const Settings& Replica::settings() const {
  return engine_->settings();
}
Settings& Replica::settings() {
  return engine_->settings();
}
const raft::Raft* Replica::raft() const {
  return engine_->raft();
}
store::Store* Replica::store() {
  return engine_->store();
}
Sessions& Replica::sessions() {
  return engine_->sessions();
}
Statistics& Replica::statistics() {
  return engine_->statistics();
}
Peers& Replica::peers() {
  return engine_->peers();
}
Engine& Replica::engine() {
  return *engine_;
}

}  // namespace redraft::replica
