// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/ima_event.h"

#include "lib/tcg/ima_log.h"

namespace diglim {
namespace {

constexpr size_t kSha1Bytes = 20;

void put_field(Bytes& out, ByteView field) {
  put_u32_le(out, static_cast<uint32_t>(field.size()));
  append(out, field);
}

Result<Bytes> template_data(const NewImaEvent& event) {
  const size_t size = hash_size(event.algo);
  const Bytes digest = event.violation ? Bytes(size, 0) : event.digest;
  if (digest.size() != size) return invalid("a file digest of " + std::to_string(digest.size()) + " bytes");
  Bytes data;
  if (event.template_name == "ima") {
    if (size != kSha1Bytes) return invalid("the template ima takes digests of 20 bytes only");
    append(data, digest);
    put_field(data, as_bytes(event.path));
    return data;
  }
  Bytes named = to_bytes(as_bytes(hash_name(event.algo)));
  named.push_back(':');
  named.push_back(0);
  append(named, digest);
  put_field(data, named);
  Bytes path = to_bytes(as_bytes(event.path));
  path.push_back(0);
  put_field(data, path);
  if (event.template_name == "ima-sig") {
    put_field(data, event.signature);
  } else if (event.template_name != "ima-ng") {
    return unsupported("writing the template " + event.template_name);
  }
  return data;
}

}  // namespace

Result<Bytes> write_ima_event(const NewImaEvent& event) {
  TRY_ASSIGN(const Bytes data, template_data(event));
  Bytes entry;
  put_u32_le(entry, event.pcr);
  const size_t digest_at = entry.size();
  entry.resize(entry.size() + kSha1Bytes, 0);
  put_field(entry, as_bytes(event.template_name));
  if (event.template_name == "ima") {
    append(entry, data);
  } else {
    put_field(entry, data);
  }
  if (event.violation) return entry;
  // The reader knows what is hashed. It takes the zeros for a violation, so put something else there first.
  entry[digest_at] = 1;
  ImaLogReader reader(entry);
  TRY_ASSIGN(const auto parsed, reader.next());
  TRY_ASSIGN(const Bytes sha1, template_digest(*parsed, HashAlgo::kSha1));
  std::copy(sha1.begin(), sha1.end(), entry.begin() + static_cast<ptrdiff_t>(digest_at));
  return entry;
}

}  // namespace diglim
