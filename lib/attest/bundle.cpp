// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/bundle.h"

#include "lib/manifest/manifest.h"
#include "lib/tcg/ima_log.h"

namespace diglim {
namespace {

constexpr std::string_view kMagic = "DIGLIMAT";
constexpr uint32_t kVersion = 1;
constexpr size_t kMaxManifests = 4096;

enum Type : uint16_t { kAttest = 1, kSignature, kAk, kPcrs, kImaLog, kManifest };

struct Limits {
  Type type;
  size_t max;
  const char* what;
};
constexpr Limits kLimits[] = {
    {kAttest, 4096, "quote"},
    {kSignature, 2048, "signature"},
    {kAk, 2048, "attestation key"},
    {kPcrs, 4096, "PCR values"},
    {kImaLog, kMaxImaLogBytes, "IMA log"},
    {kManifest, kMaxManifestBytes, "manifest"},
};

const Limits& limits_of(Type type) {
  return kLimits[type - 1];
}

Result<void> put(Bytes& out, Type type, ByteView content) {
  const Limits& limits = limits_of(type);
  if (content.size() > limits.max)
    return invalid(std::string(limits.what) + " of " + std::to_string(content.size()) +
                   " bytes in a bundle, at most " + std::to_string(limits.max));
  put_u16_le(out, type);
  put_u32_le(out, static_cast<uint32_t>(content.size()));
  append(out, content);
  return {};
}

struct Record {
  uint64_t offset = 0;  // of the content
  ByteView content;
};

// The next record if it is of this type.
Result<std::optional<Record>> take(ByteReader& reader, Type type) {
  ByteReader ahead = reader;
  if (ahead.empty()) return std::optional<Record>();
  TRY_ASSIGN(const uint16_t found, ahead.u16_le());
  if (found != type) return std::optional<Record>();
  const uint64_t size_offset = ahead.offset();
  TRY_ASSIGN(const uint32_t size, ahead.u32_le());
  if (size > limits_of(type).max)
    return corrupt(size_offset, std::string(limits_of(type).what) + " of " + std::to_string(size) +
                                    " bytes, at most " + std::to_string(limits_of(type).max));
  Record record;
  record.offset = ahead.offset();
  TRY_ASSIGN(record.content, ahead.bytes(size));
  reader = ahead;
  return std::optional<Record>(record);
}

Result<Record> need(ByteReader& reader, Type type) {
  TRY_ASSIGN(const auto record, take(reader, type));
  if (!record) return corrupt(reader.offset(), std::string(limits_of(type).what) + " expected");
  return *record;
}

Result<void> read_pcrs(const Record& record, BundleView& bundle) {
  ByteReader reader(record.content, record.offset);
  TRY_ASSIGN(const uint16_t bank, reader.u16_le());
  const auto algo = hash_from_kernel(bank);
  if (!algo || !pcr_bank_from_name(hash_name(*algo))) return corrupt(record.offset, "unknown PCR bank");
  bundle.bank = *algo;
  while (!reader.empty()) {
    const uint64_t offset = reader.offset();
    TRY_ASSIGN(const uint8_t pcr, reader.u8());
    if (pcr >= kPcrCount) return corrupt(offset, "there is no PCR " + std::to_string(pcr));
    if (!bundle.pcrs.empty() && bundle.pcrs.rbegin()->first >= pcr)
      return corrupt(offset, "PCRs out of order");
    TRY_ASSIGN(const ByteView value, reader.bytes(hash_size(*algo)));
    bundle.pcrs.emplace(pcr, value);
  }
  return {};
}

}  // namespace

Result<Bytes> write_bundle(const Bundle& bundle) {
  if (bundle.manifests.size() > kMaxManifests) return invalid("more than 4096 manifests in a bundle");
  Bytes out = to_bytes(as_bytes(kMagic));
  put_u32_le(out, kVersion);
  TRY(put(out, kAttest, bundle.attest));
  TRY(put(out, kSignature, bundle.signature));
  TRY(put(out, kAk, bundle.ak));
  Bytes pcrs;
  put_u16_le(pcrs, static_cast<uint16_t>(bundle.bank));
  for (const auto& [pcr, value] : bundle.pcrs) {
    pcrs.push_back(static_cast<uint8_t>(pcr));
    append(pcrs, value);
  }
  TRY(put(out, kPcrs, pcrs));
  TRY(put(out, kImaLog, bundle.ima_log));
  for (const Bytes& manifest : bundle.manifests) TRY(put(out, kManifest, manifest));
  if (out.size() > kMaxBundleBytes) return invalid("a bundle of more than 256 MiB");
  return out;
}

Result<BundleView> view_bundle(ByteView file) {
  if (file.size() > kMaxBundleBytes) return corrupt(kMaxBundleBytes, "more than 256 MiB");
  ByteReader reader(file);
  TRY_ASSIGN(const ByteView magic, reader.bytes(kMagic.size()));
  if (as_text(magic) != kMagic) return corrupt(0, "not an attestation bundle");
  TRY_ASSIGN(const uint32_t version, reader.u32_le());
  if (version != kVersion) return unsupported("attestation bundle of version " + std::to_string(version));
  BundleView bundle;
  TRY_ASSIGN(const Record attest, need(reader, kAttest));
  bundle.attest = attest.content;
  TRY_ASSIGN(const Record signature, need(reader, kSignature));
  bundle.signature = signature.content;
  TRY_ASSIGN(const Record ak, need(reader, kAk));
  bundle.ak = ak.content;
  TRY_ASSIGN(const Record pcrs, need(reader, kPcrs));
  TRY(read_pcrs(pcrs, bundle));
  TRY_ASSIGN(const Record log, need(reader, kImaLog));
  bundle.ima_log = log.content;
  for (;;) {
    TRY_ASSIGN(const auto manifest, take(reader, kManifest));
    if (!manifest) break;
    if (bundle.manifests.size() == kMaxManifests) return corrupt(manifest->offset, "too many manifests");
    bundle.manifests.push_back(manifest->content);
  }
  if (!reader.empty()) return corrupt(reader.offset(), "bytes after the last manifest");
  return bundle;
}

Result<Bundle> read_bundle(ByteView file) {
  TRY_ASSIGN(const BundleView view, view_bundle(file));
  Bundle bundle;
  bundle.attest = to_bytes(view.attest);
  bundle.signature = to_bytes(view.signature);
  bundle.ak = to_bytes(view.ak);
  bundle.bank = view.bank;
  for (const auto& [pcr, value] : view.pcrs) bundle.pcrs.emplace(pcr, to_bytes(value));
  bundle.ima_log = to_bytes(view.ima_log);
  for (const ByteView manifest : view.manifests) bundle.manifests.push_back(to_bytes(manifest));
  return bundle;
}

}  // namespace diglim
