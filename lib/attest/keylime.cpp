// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/keylime.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/tcg/ima_log.h"
#include "lib/tcg/tpm_hash.h"

namespace diglim {
namespace {

// The sizes of tpm2-tss's structures in memory, which tpm2_quote writes as they are.
constexpr size_t kSelections = 16;       // TPM2_NUM_PCR_BANKS
constexpr size_t kSelectBytes = 3;       // of 24 PCRs
constexpr size_t kSelectionPadding = 2;  // TPMS_PCR_SELECTION is 8 bytes long
constexpr size_t kDigestsOfAList = 8;    // TPML_DIGEST
constexpr size_t kDigestRoom = 64;       // TPMU_HA

void pad(Bytes& out, size_t size) {
  out.insert(out.end(), size, 0);
}

// TPML_PCR_SELECTION, a count, and as many TPML_DIGEST; little endian.
Bytes pcr_blob(const BundleView& bundle) {
  uint32_t selected = 0;
  for (const auto& [pcr, value] : bundle.pcrs) selected |= 1u << pcr;
  Bytes blob;
  put_u32_le(blob, 1);
  put_u16_le(blob, hash_to_tpm(bundle.bank));
  blob.push_back(kSelectBytes);
  for (size_t i = 0; i < kSelectBytes; ++i) blob.push_back(static_cast<uint8_t>(selected >> (8 * i)));
  pad(blob, kSelectionPadding);
  pad(blob, (kSelections - 1) * (2 + 1 + kSelectBytes + kSelectionPadding));
  const size_t lists = (bundle.pcrs.size() + kDigestsOfAList - 1) / kDigestsOfAList;
  put_u32_le(blob, static_cast<uint32_t>(lists));
  auto next = bundle.pcrs.begin();
  for (size_t list = 0; list < lists; ++list) {
    const size_t count = std::min(kDigestsOfAList, bundle.pcrs.size() - list * kDigestsOfAList);
    put_u32_le(blob, static_cast<uint32_t>(count));
    for (size_t i = 0; i < kDigestsOfAList; ++i) {
      const ByteView value = i < count ? (next++)->second : ByteView();
      put_u16_le(blob, static_cast<uint16_t>(value.size()));
      blob.insert(blob.end(), value.begin(), value.end());
      pad(blob, kDigestRoom - value.size());
    }
  }
  return blob;
}

// A line of ascii_runtime_measurements (ima_ascii_measurements_show() in security/integrity/ima/ima_fs.c).
Result<std::string> ascii_line(const ImaEvent& event) {
  if (event.path.find('\n') != std::string_view::npos)
    return unsupported("a path with a line feed, which the text of an IMA log cannot tell: " +
                       escape(event.path));
  std::string line = (event.pcr < 10 ? " " : "") + std::to_string(event.pcr) + " " + to_hex(event.sha1) +
                     " " + std::string(event.template_name) + " ";
  if (event.template_name == "ima") return line + to_hex(event.digest) + " " + std::string(event.path) + "\n";
  ByteReader fields(event.data);
  for (size_t i = 0; !fields.empty(); ++i) {
    TRY_ASSIGN(const uint32_t size, fields.u32_le());
    TRY_ASSIGN(const ByteView field, fields.bytes(size));
    if (i == 0) {
      line += as_text(field).substr(0, as_text(field).find('\0'));
      line += to_hex(event.digest);
    } else {
      line += " ";
      line += i == 1 ? std::string(event.path) : to_hex(field);
    }
  }
  return line + "\n";
}

bool is_plain(std::string_view name) {
  constexpr std::string_view kPlain[] = {"ima", "ima-ng", "ima-sig", "ima-ngv2", "ima-sigv2", "ima-buf"};
  return std::find(std::begin(kPlain), std::end(kPlain), name) != std::end(kPlain);
}

Result<std::string> ascii_log(ByteView log) {
  std::string text;
  ImaLogReader reader(log);
  for (;;) {
    TRY_ASSIGN(const auto event, reader.next());
    if (!event) return text;
    if (!is_plain(event->template_name))
      return unsupported("an event of the template " + escape(event->template_name));
    TRY_ASSIGN(const std::string line, ascii_line(*event));
    text += line;
  }
}

}  // namespace

Result<std::string> keylime_evidence(const KeylimeRequest& request) {
  TRY_ASSIGN(const BundleView bundle, view_bundle(request.bundle));
  if (bundle.bank != HashAlgo::kSha256)
    return unsupported("Keylime takes the bank of the signature's hash: sha256");
  TRY_ASSIGN(const std::string log, ascii_log(bundle.ima_log));
  const nlohmann::json evidence = {
      {"type", "tpm"},
      {"data",
       {{"nonce", to_base64(request.nonce)},
        {"quote", "r" + to_base64(bundle.attest) + ":" + to_base64(bundle.signature) + ":" +
                      to_base64(pcr_blob(bundle))},
        {"hash_alg", hash_name(bundle.bank)},
        {"tpm_ak", to_base64(bundle.ak)},
        {"tpm_ek", to_base64(request.ek)},
        {"runtime_policy", std::string(request.runtime_policy)},
        {"ima_measurement_list", log}}}};
  return evidence.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace diglim
