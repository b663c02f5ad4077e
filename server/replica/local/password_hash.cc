#include "server/replica/local/password_hash.h"

#include <openssl/evp.h>

#include <array>

#include "base/check.h"

namespace redraft::replica::local {

std::string password_hash(std::string_view password) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const int done = EVP_Digest(password.data(), password.size(), digest.data(), &size, EVP_sha256(), nullptr);
  ensure(done == 1 && size == 32, "SHA-256 of bytes in memory succeeds");
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

}  // namespace redraft::replica::local
