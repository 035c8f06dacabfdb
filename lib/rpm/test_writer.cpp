// SPDX-License-Identifier: Apache-2.0
#include "lib/rpm/test_writer.h"

#include <algorithm>

#include "lib/base/base64.h"
#include "lib/rpm/header.h"

namespace diglim::rpm {
namespace {

constexpr uint32_t kTagSha256Header = 273;
constexpr uint32_t kTagOpenPgp = 278;

void put_entry(Bytes& out, uint32_t tag, uint32_t type, uint32_t offset, uint32_t count) {
  for (uint32_t field : {tag, type, offset, count}) put_u32_be(out, field);
}

void put_header_magic(Bytes& out) {
  append(out, Bytes{0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0});
}

}  // namespace

HeaderWriter& HeaderWriter::raw(uint32_t tag, uint32_t type, uint32_t count, ByteView data,
                                size_t alignment) {
  while (data_.size() % alignment != 0) data_.push_back(0);
  put_entry(index_, tag, type, static_cast<uint32_t>(data_.size()), count);
  append(data_, data);
  return *this;
}

HeaderWriter& HeaderWriter::string(uint32_t tag, std::string_view text) {
  Bytes data = to_bytes(as_bytes(text));
  data.push_back(0);
  return raw(tag, kTypeString, 1, data);
}

HeaderWriter& HeaderWriter::strings(uint32_t tag, const std::vector<std::string>& texts) {
  Bytes data;
  for (const std::string& text : texts) {
    append(data, as_bytes(text));
    data.push_back(0);
  }
  return raw(tag, kTypeStringArray, static_cast<uint32_t>(texts.size()), data);
}

HeaderWriter& HeaderWriter::number(uint32_t tag, uint32_t value) {
  Bytes data;
  put_u32_be(data, value);
  return raw(tag, kTypeInt32, 1, data, 4);
}

HeaderWriter& HeaderWriter::binary(uint32_t tag, ByteView bytes) {
  return raw(tag, kTypeBinary, static_cast<uint32_t>(bytes.size()), bytes);
}

Bytes HeaderWriter::finish(uint32_t region_tag) const {
  const auto entries = static_cast<uint32_t>(index_.size() / kEntrySize + 1);
  Bytes out;
  put_header_magic(out);
  put_u32_be(out, entries);
  put_u32_be(out, static_cast<uint32_t>(data_.size() + kTrailerSize));
  put_entry(out, region_tag, kTypeBinary, static_cast<uint32_t>(data_.size()), kTrailerSize);
  append(out, index_);
  append(out, data_);
  put_entry(out, region_tag, kTypeBinary, 0u - entries * static_cast<uint32_t>(kEntrySize), kTrailerSize);
  return out;
}

Bytes make_main_header(const TestPackage& package) {
  HeaderWriter header;
  header.string(1000, package.name).string(1001, package.version).string(1002, package.release);
  if (package.epoch) header.number(1003, *package.epoch);
  header.string(1022, package.arch);
  if (!package.digests.empty()) header.strings(1035, package.digests);
  if (!package.source) header.string(1044, package.name + ".src.rpm");
  if (!package.digests.empty()) {
    std::vector<std::string> names;
    for (size_t i = 0; i < package.digests.size(); ++i) names.push_back("file" + std::to_string(i));
    header.strings(1117, names);
  }
  if (package.digest_algo) header.number(5011, *package.digest_algo);
  return header.main();
}

Bytes make_main_header_of(TestPackage package, HashAlgo algo, const std::vector<std::string>& contents) {
  for (uint32_t number = 0; number < 16; ++number) {
    if (hash_from_openpgp(number) == algo) package.digest_algo = number;
  }
  package.digests = {""};
  for (const std::string& content : contents)
    package.digests.push_back(to_hex(*hash(algo, {as_bytes(content)})));
  return make_main_header(package);
}

Bytes make_package(ByteView main_header, const std::vector<std::pair<uint32_t, Bytes>>& signatures,
                   std::string_view payload) {
  Bytes file = {0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1};
  file.resize(96);
  file[79] = 5;  // signature type "header style", as rpm writes it

  HeaderWriter header;
  std::vector<std::string> encoded;
  for (const auto& [tag, packets] : signatures) {
    if (tag == kTagOpenPgp) {
      encoded.push_back(to_base64(packets));
    } else {
      header.binary(tag, packets);
    }
  }
  header.string(kTagSha256Header, to_hex(*hash(HashAlgo::kSha256, {main_header})));
  if (!encoded.empty()) header.strings(kTagOpenPgp, encoded);
  append(file, header.signature());
  file.resize((file.size() + 7) & ~size_t{7});
  append(file, main_header);
  append(file, as_bytes(payload));
  return file;
}

void patch_u32(Bytes& bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) bytes.at(at + i) = static_cast<uint8_t>(value >> (24 - 8 * i));
}

}  // namespace diglim::rpm
