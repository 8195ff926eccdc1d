#include "tombola/io/sha256.hpp"

#include <string>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;

TEST_CASE("sha256: the published vectors") {
  // NIST, "Example values", SHA-256, and the one of a million letters of FIPS 180-2, appendix B.3.
  CHECK(io::sha256_hex("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(io::sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(io::sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(io::sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: pieces do not matter, and a file is its content") {
  const std::string text(1000, 'q');
  for (std::size_t cut = 0; cut <= 130; ++cut) {
    io::sha256 h;
    h.update(std::string_view{text}.substr(0, cut));
    h.update(std::string_view{text}.substr(cut));
    CHECK(h.hex() == io::sha256_hex(text));
  }
  const test::scratch_folder folder;
  const std::string large((std::size_t{1} << 20) + 17, 'x');
  test::put(folder / "a", large);
  CHECK(io::sha256_hex_of_file(folder / "a") == io::sha256_hex(large));
  test::put(folder / "a", "");
  CHECK(io::sha256_hex_of_file(folder / "a") == io::sha256_hex(""));
}

TEST_CASE("sha256: every length around a block, at compile time too") {
  // SHA-256 over the hashes of 0 to 200 letters, so that one number guards all paddings.
  io::sha256 all;
  for (std::size_t n = 0; n <= 200; ++n) all.update(io::sha256_hex(std::string(n, 'a')));
  CHECK(all.hex() == "eb555248bd20c7831e511d4461b42c9b084e3a64b44d57b00051172f8afe03ff");
  constexpr std::byte first = [] {
    io::sha256 h;
    return h.digest()[0];
  }();
  static_assert(first == std::byte{0xe3});
}
