#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "base/check.h"
#include "server/commands/rdb/skip.h"
#include "server/commands/rdb/values.h"

// What RESTORE gets behind a checksum that fits: any bytes lead to a value that can be saved and read again, or to a
// refusal that leaves nothing behind.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace redraft;
  static store::Store store(store::Options{.databases = 1, .hash_seed = 3});
  store::NoBreather breather;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::uint64_t before = store.used_memory();
  {
    rdb::Reader reader(bytes);
    const std::uint8_t type = reader.byte();
    Result<rdb::Loaded> loaded = rdb::load_value(store, type, reader, breather);
    if (loaded) {
      if (loaded->object != nullptr) {
        store.put_object(0, "k", std::move(loaded->object), 0);
      } else {
        store.set_string(0, "k", loaded->string, 0);
      }
      std::string saved;
      std::ignore = rdb::save_value(*store.find(0, "k"), saved, breather);
      rdb::Reader again(saved);
      const std::uint8_t saved_type = again.byte();
      ensure(rdb::load_value(store, saved_type, again, breather).ok(), "what was saved can be read");
      rdb::Reader over(std::string_view(saved).substr(1));
      ensure(rdb::skip_value(saved_type, over) && over.at_end(), "what was saved ends where it is skipped to");
      store.remove(0, "k");
    }
  }
  store.free_some(~std::size_t{0});
  ensure(store.used_memory() == before, "a payload leaves nothing behind");
  return 0;
}
