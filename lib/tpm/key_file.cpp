// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/key_file.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>

#include <climits>

#include "lib/crypto/openssl.h"

namespace {

// The draft's names and tags. Global names, since OpenSSL's macros declare functions.
struct DIGLIM_TPM_POLICY {
  ASN1_INTEGER* code;
  ASN1_OCTET_STRING* parameters;
};
struct DIGLIM_TPM_WAY {
  ASN1_UTF8STRING* name;
  STACK_OF(DIGLIM_TPM_POLICY) * commands;
};
struct DIGLIM_TPM_KEY {
  ASN1_OBJECT* type;
  ASN1_BOOLEAN empty_auth;
  STACK_OF(DIGLIM_TPM_POLICY) * policy;
  ASN1_OCTET_STRING* secret;
  STACK_OF(DIGLIM_TPM_WAY) * ways;
  ASN1_UTF8STRING* description;
  ASN1_BOOLEAN rsa_parent;
  ASN1_INTEGER* parent;
  ASN1_OCTET_STRING* public_part;
  ASN1_OCTET_STRING* private_part;
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wpedantic"
DEFINE_STACK_OF(DIGLIM_TPM_POLICY)
DEFINE_STACK_OF(DIGLIM_TPM_WAY)

// clang-format off
ASN1_SEQUENCE(DIGLIM_TPM_POLICY) = {
  ASN1_EXP(DIGLIM_TPM_POLICY, code, ASN1_INTEGER, 0),
  ASN1_EXP(DIGLIM_TPM_POLICY, parameters, ASN1_OCTET_STRING, 1)
} static_ASN1_SEQUENCE_END(DIGLIM_TPM_POLICY)
IMPLEMENT_STATIC_ASN1_ALLOC_FUNCTIONS(DIGLIM_TPM_POLICY)

ASN1_SEQUENCE(DIGLIM_TPM_WAY) = {
  ASN1_EXP_OPT(DIGLIM_TPM_WAY, name, ASN1_UTF8STRING, 0),
  ASN1_EXP_SEQUENCE_OF(DIGLIM_TPM_WAY, commands, DIGLIM_TPM_POLICY, 1)
} static_ASN1_SEQUENCE_END(DIGLIM_TPM_WAY)
IMPLEMENT_STATIC_ASN1_ALLOC_FUNCTIONS(DIGLIM_TPM_WAY)

ASN1_SEQUENCE(DIGLIM_TPM_KEY) = {
  ASN1_SIMPLE(DIGLIM_TPM_KEY, type, ASN1_OBJECT),
  ASN1_EXP_OPT(DIGLIM_TPM_KEY, empty_auth, ASN1_BOOLEAN, 0),
  ASN1_EXP_SEQUENCE_OF_OPT(DIGLIM_TPM_KEY, policy, DIGLIM_TPM_POLICY, 1),
  ASN1_EXP_OPT(DIGLIM_TPM_KEY, secret, ASN1_OCTET_STRING, 2),
  ASN1_EXP_SEQUENCE_OF_OPT(DIGLIM_TPM_KEY, ways, DIGLIM_TPM_WAY, 3),
  ASN1_EXP_OPT(DIGLIM_TPM_KEY, description, ASN1_UTF8STRING, 4),
  ASN1_EXP_OPT(DIGLIM_TPM_KEY, rsa_parent, ASN1_BOOLEAN, 5),
  ASN1_SIMPLE(DIGLIM_TPM_KEY, parent, ASN1_INTEGER),
  ASN1_SIMPLE(DIGLIM_TPM_KEY, public_part, ASN1_OCTET_STRING),
  ASN1_SIMPLE(DIGLIM_TPM_KEY, private_part, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END(DIGLIM_TPM_KEY)
    // clang-format on
    IMPLEMENT_STATIC_ASN1_ALLOC_FUNCTIONS(DIGLIM_TPM_KEY)
#pragma GCC diagnostic pop

}  // namespace

namespace diglim {
namespace {

constexpr char kLoadableKey[] = "2.23.133.10.1.3";
constexpr int kMaxWays = 64;
constexpr int kMaxCommands = 8;

using KeyPtr = Owned<DIGLIM_TPM_KEY, DIGLIM_TPM_KEY_free>;
using ObjectPtr = Owned<ASN1_OBJECT, ASN1_OBJECT_free>;

// Of the first line from `from` on that begins with `words`; npos: there is none. As OpenSSL finds them.
size_t find_line(std::string_view text, std::string_view words, size_t from) {
  for (size_t at = text.find(words, from); at != std::string_view::npos; at = text.find(words, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return at;
  }
  return std::string_view::npos;
}

Bytes octets(const ASN1_OCTET_STRING* string) {
  const unsigned char* data = ASN1_STRING_get0_data(string);
  return Bytes(data, data + ASN1_STRING_length(string));
}

Result<uint32_t> number(const ASN1_INTEGER* integer, const char* what) {
  uint64_t value = 0;
  (void)ERR_set_mark();
  const bool read = ASN1_INTEGER_get_uint64(&value, integer) == 1;
  (void)ERR_pop_to_mark();
  if (!read || value > UINT32_MAX) {
    return corrupt(0, std::string(what) + " is no number of 32 bits");
  }
  return static_cast<uint32_t>(value);
}

Result<PolicyCommands> read_commands(const STACK_OF(DIGLIM_TPM_POLICY) * stack) {
  const int count = sk_DIGLIM_TPM_POLICY_num(stack);
  if (count < 1 || count > kMaxCommands)
    return corrupt(0, "a policy of " + std::to_string(count) + " commands; there may be 1 to " +
                          std::to_string(kMaxCommands));
  PolicyCommands commands;
  for (int i = 0; i < count; ++i) {
    const DIGLIM_TPM_POLICY* command = sk_DIGLIM_TPM_POLICY_value(stack, i);
    TRY_ASSIGN(const TPM2_CC code, number(command->code, "the code of a policy command"));
    commands.push_back({code, octets(command->parameters)});
  }
  return commands;
}

bool set_octets(ASN1_OCTET_STRING* string, ByteView bytes) {
  return bytes.size() <= INT_MAX &&
         ASN1_OCTET_STRING_set(string, bytes.data(), static_cast<int>(bytes.size())) == 1;
}

// Null: no memory.
STACK_OF(DIGLIM_TPM_POLICY) * new_commands(const PolicyCommands& commands) {
  STACK_OF(DIGLIM_TPM_POLICY)* stack = sk_DIGLIM_TPM_POLICY_new_null();
  for (const PolicyCommand& command : commands) {
    DIGLIM_TPM_POLICY* item = DIGLIM_TPM_POLICY_new();
    if (stack == nullptr || item == nullptr || ASN1_INTEGER_set_uint64(item->code, command.code) != 1 ||
        !set_octets(item->parameters, command.parameters) || sk_DIGLIM_TPM_POLICY_push(stack, item) <= 0) {
      DIGLIM_TPM_POLICY_free(item);
      sk_DIGLIM_TPM_POLICY_pop_free(stack, DIGLIM_TPM_POLICY_free);
      return nullptr;
    }
  }
  return stack;
}

bool add_ways(DIGLIM_TPM_KEY& out, const std::vector<PolicyCommands>& ways) {
  if (ways.empty()) return true;
  out.ways = sk_DIGLIM_TPM_WAY_new_null();
  for (const PolicyCommands& commands : ways) {
    DIGLIM_TPM_WAY* way = DIGLIM_TPM_WAY_new();
    if (way == nullptr) return false;
    sk_DIGLIM_TPM_POLICY_free(way->commands);  // an empty one
    way->commands = new_commands(commands);
    if (way->commands == nullptr || out.ways == nullptr || sk_DIGLIM_TPM_WAY_push(out.ways, way) <= 0) {
      DIGLIM_TPM_WAY_free(way);
      return false;
    }
  }
  return true;
}

}  // namespace

Result<Bytes> write_key_der(const KeyFile& key) {
  init_openssl();
  const KeyPtr out(DIGLIM_TPM_KEY_new());
  if (!out) return openssl_error("write a key");
  ASN1_OBJECT_free(out->type);
  out->type = OBJ_txt2obj(kLoadableKey, 1);
  out->empty_auth = key.empty_auth ? 1 : -1;  // -1: not written
  out->rsa_parent = key.rsa_parent ? 1 : -1;
  if (!key.policy.empty()) {
    out->policy = new_commands(key.policy);
    if (out->policy == nullptr) return openssl_error("write a key");
  }
  if (!key.description.empty()) {
    out->description = ASN1_UTF8STRING_new();
    if (out->description == nullptr || !set_octets(out->description, as_bytes(key.description)))
      return openssl_error("write a key");
  }
  if (out->type == nullptr || !add_ways(*out, key.alternatives) ||
      ASN1_INTEGER_set_uint64(out->parent, key.parent) != 1 ||
      !set_octets(out->public_part, key.public_part) || !set_octets(out->private_part, key.private_part))
    return openssl_error("write a key");
  unsigned char* der = nullptr;
  const int size =
      ASN1_item_i2d(reinterpret_cast<ASN1_VALUE*>(out.get()), &der, ASN1_ITEM_rptr(DIGLIM_TPM_KEY));
  if (size <= 0) return openssl_error("write a key");
  const OpensslPtr<unsigned char> owner(der);
  return Bytes(der, der + size);
}

Result<std::string> write_key_pem(const KeyFile& key) {
  TRY_ASSIGN(const Bytes der, write_key_der(key));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio(bio.get(), kKeyPemName, "", der.data(), static_cast<long>(der.size())) <= 0)
    return openssl_error("write a key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Result<KeyFile> read_key_der(ByteView der) {
  if (der.size() > kMaxKeyFileBytes) return corrupt(0, "a TPM key of more than 256 KiB");
  const unsigned char* at = der.data();
  // Inside a server the queue holds errors of others, too: only ours go.
  (void)ERR_set_mark();
  const KeyPtr in(reinterpret_cast<DIGLIM_TPM_KEY*>(
      ASN1_item_d2i(nullptr, &at, static_cast<long>(der.size()), ASN1_ITEM_rptr(DIGLIM_TPM_KEY))));
  (void)ERR_pop_to_mark();
  if (!in || at != der.data() + der.size()) {
    return corrupt(0, in ? "bytes after a TPM key" : "not a TPM key");
  }
  const ObjectPtr loadable(OBJ_txt2obj(kLoadableKey, 1));
  if (!loadable) return openssl_error("read a key");
  if (OBJ_cmp(in->type, loadable.get()) != 0)
    return unsupported("a TPM object that is no loadable key (2.23.133.10.1.3)");
  if (in->secret != nullptr) return unsupported("a TPM key that has yet to be imported");
  KeyFile key;
  key.empty_auth = in->empty_auth > 0;
  key.rsa_parent = in->rsa_parent > 0;
  TRY_ASSIGN(key.parent, number(in->parent, "the parent of a TPM key"));
  if (in->policy != nullptr) {
    TRY_ASSIGN(key.policy, read_commands(in->policy));
  }
  const int ways = in->ways == nullptr ? 0 : sk_DIGLIM_TPM_WAY_num(in->ways);
  if (ways > kMaxWays || (in->ways != nullptr && ways == 0))
    return corrupt(0, "a TPM key with " + std::to_string(ways) + " policies");
  for (int i = 0; i < ways; ++i) {
    TRY_ASSIGN(auto commands, read_commands(sk_DIGLIM_TPM_WAY_value(in->ways, i)->commands));
    key.alternatives.push_back(std::move(commands));
  }
  key.public_part = octets(in->public_part);
  key.private_part = octets(in->private_part);
  if (in->description != nullptr) key.description = as_text(octets(in->description));
  return key;
}

Result<KeyFile> read_key_pem(std::string_view pem) {
  init_openssl();
  if (pem.size() > 2 * kMaxKeyFileBytes) return corrupt(0, "a TPM key of more than 256 KiB");
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  unsigned char* data = nullptr;
  long size = 0;
  if (!bio || PEM_bytes_read_bio(&data, &size, nullptr, kKeyPemName, bio.get(), nullptr, nullptr) != 1) {
    ERR_clear_error();
    return corrupt(0, std::string("no PEM of the name ") + kKeyPemName);
  }
  const OpensslPtr<unsigned char> owner(data);
  return read_key_der({data, static_cast<size_t>(size)});
}

Result<std::string> replace_key_pem(std::string_view text, const KeyFile& key) {
  const std::string begin = std::string("-----BEGIN ") + kKeyPemName + "-----";
  const std::string end = std::string("-----END ") + kKeyPemName + "-----";
  const size_t first = find_line(text, begin, 0);
  const size_t last = first == std::string_view::npos ? first : find_line(text, end, first);
  if (last == std::string_view::npos) return corrupt(0, std::string("no PEM of the name ") + kKeyPemName);
  if (find_line(text, begin, first + 1) != std::string_view::npos)
    return invalid("two keys of a TPM in one file: write each into a file of its own");
  const size_t feed = text.find('\n', last);
  TRY_ASSIGN(std::string pem, write_key_pem(key));
  pem.insert(0, text.substr(0, first));
  if (feed != std::string_view::npos) pem += text.substr(feed + 1);
  return pem;
}

}  // namespace diglim
