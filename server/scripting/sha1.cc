#include "server/scripting/sha1.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace redraft::scripting {

Sha1Hex sha1_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha1(), nullptr);
  ensure(done == 1 && size == 20, "OpenSSL has SHA-1");
  Sha1Hex text{};
  for (std::size_t i = 0; i < 20; ++i) {
    text[2 * i] = "0123456789abcdef"[digest[i] / 16];
    text[2 * i + 1] = "0123456789abcdef"[digest[i] % 16];
  }
  return text;
}

}  // namespace redraft::scripting
