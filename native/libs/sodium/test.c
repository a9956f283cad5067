/* libsodium in a cell: a hash, a secret box, a signature, a key exchange; random numbers are the cell's to give. */
#include <nexus/cell.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

/* For a test: the same ones every time. A real cell asks rngd (native/sdk/man/call.c). */
static uint64_t state = 1;

static const char *name(void)
{
    return "test";
}

static uint32_t next(void)
{
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    return (uint32_t)(state >> 32);
}

static void fill(void *const to, const size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)to)[i] = (uint8_t)next();
    }
}

static void check(bool good, const char *what)
{
    if (!good) {
        cell_panic("%s", what);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    static randombytes_implementation source = {
        .implementation_name = name, .random = next, .buf = fill};
    static const uint8_t text[] = "abc";
    static const uint8_t sha256[4] = {0xba, 0x78, 0x16, 0xbf}; /* FIPS 180, its beginning */
    uint8_t hash[64], key[32], nonce[24], box[3 + 16], open[3];
    uint8_t pk[32], sk[64], signature[64], pk2[32], sk2[32], pk3[32], sk3[32], shared2[32],
        shared3[32];
    check(randombytes_set_implementation(&source) == 0 && sodium_init() == 0, "sodium_init");

    check(crypto_hash_sha256(hash, text, 3) == 0 && memcmp(hash, sha256, 4) == 0, "sha256");
    randombytes_buf(key, sizeof(key));
    randombytes_buf(nonce, sizeof(nonce));
    check(crypto_secretbox_easy(box, text, 3, nonce, key) == 0, "secretbox");
    check(crypto_secretbox_open_easy(open, box, sizeof(box), nonce, key) == 0 &&
              memcmp(open, text, 3) == 0,
          "open");
    box[5] ^= 1;
    check(crypto_secretbox_open_easy(open, box, sizeof(box), nonce, key) != 0, "a forged box");

    check(crypto_sign_keypair(pk, sk) == 0, "keypair");
    check(crypto_sign_detached(signature, NULL, text, 3, sk) == 0, "sign");
    check(crypto_sign_verify_detached(signature, text, 3, pk) == 0, "verify");
    check(crypto_sign_verify_detached(signature, text, 2, pk) != 0, "a forged signature");

    check(crypto_box_keypair(pk2, sk2) == 0 && crypto_box_keypair(pk3, sk3) == 0, "keypairs");
    check(crypto_scalarmult(shared2, sk2, pk3) == 0 && crypto_scalarmult(shared3, sk3, pk2) == 0 &&
              sodium_memcmp(shared2, shared3, 32) == 0,
          "key exchange");
    cell_log("ok");
    return 0;
}
