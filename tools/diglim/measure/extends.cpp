// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/extends.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/tcg/event_log.h"
#include "tools/diglim/measure/json_sequence.h"

namespace diglim {
namespace {

using nlohmann::json;

constexpr size_t kMaxShown = 120;
constexpr size_t kLeastText = 3;
constexpr uint32_t kIpl = 0x0d;
constexpr uint32_t kTag = 0x06;

// Firmware Profile 1.06, table 14.
std::string type_name(uint32_t type) {
  switch (type) {
    case 0x01:
      return "EV_POST_CODE";
    case 0x04:
      return "EV_SEPARATOR";
    case 0x05:
      return "EV_ACTION";
    case kTag:
      return "EV_EVENT_TAG";
    case 0x07:
      return "EV_S_CRTM_CONTENTS";
    case 0x08:
      return "EV_S_CRTM_VERSION";
    case 0x0a:
      return "EV_PLATFORM_CONFIG_FLAGS";
    case 0x0c:
      return "EV_COMPACT_HASH";
    case kIpl:
      return "EV_IPL";
    case 0x80000001:
      return "EV_EFI_VARIABLE_DRIVER_CONFIG";
    case 0x80000002:
      return "EV_EFI_VARIABLE_BOOT";
    case 0x80000003:
      return "EV_EFI_BOOT_SERVICES_APPLICATION";
    case 0x80000004:
      return "EV_EFI_BOOT_SERVICES_DRIVER";
    case 0x80000006:
      return "EV_EFI_GPT_EVENT";
    case 0x80000007:
      return "EV_EFI_ACTION";
    case 0x80000008:
      return "EV_EFI_PLATFORM_FIRMWARE_BLOB";
    case 0x80000009:
      return "EV_EFI_HANDOFF_TABLES";
    case 0x8000000a:
      return "EV_EFI_PLATFORM_FIRMWARE_BLOB2";
    case 0x8000000b:
      return "EV_EFI_HANDOFF_TABLES2";
    case 0x8000000c:
      return "EV_EFI_VARIABLE_BOOT2";
    case 0x800000e0:
      return "EV_EFI_VARIABLE_AUTHORITY";
    default:
      return fmt::format("type {:#x}", type);
  }
}

// As the sources have it: GRUB's tpm module, shim's tpm.c, systemd's src/boot/measure.c, the kernel's EFI
// stub.
std::string guess_who(uint32_t pcr, uint32_t type) {
  if (type == kTag && pcr == 9) return "the kernel's EFI stub";
  if (type != kIpl && type != kTag) return "the firmware";
  switch (pcr) {
    case 8:
    case 9:
      return "GRUB";
    case 11:
      return "systemd-stub";
    case 12:
    case 13:
      return "systemd-boot or systemd-stub";
    case 14:
      return "shim";
    default:
      return "a boot loader";
  }
}

// The longest piece of ASCII, also as UTF-16: most events carry a name or a command.
std::string text_in(ByteView data) {
  std::string best;
  for (const size_t step : {size_t{1}, size_t{2}}) {
    std::string piece;
    const auto take = [&] {
      if (piece.size() > best.size()) best = piece;
      piece.clear();
    };
    for (size_t i = 0; i < data.size(); i += step) {
      const bool printable = data[i] >= 0x20 && data[i] < 0x7f;
      const bool narrow = step == 1 || (i + 1 < data.size() && data[i + 1] == 0);
      if (printable && narrow)
        piece += static_cast<char>(data[i]);
      else
        take();
    }
    take();
  }
  return best.size() < kLeastText ? "" : best;
}

std::string describe(std::string kind, std::string_view text) {
  return text.empty() ? std::move(kind) : kind + " \"" + escape(text, kMaxShown) + "\"";
}

std::string string_in(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<Bytes> digest_of(const json& record, HashAlgo bank) {
  const auto digests = record.find("digests");
  if (digests == record.end() || !digests->is_array()) return Error{ErrorCode::kCorrupt, 0, "no digests"};
  for (const json& digest : *digests) {
    if (string_in(digest, "hashAlg") != hash_name(bank)) continue;
    TRY_ASSIGN(Bytes value, from_hex(string_in(digest, "digest")));
    if (value.size() == hash_size(bank)) return value;
  }
  return Bytes();
}

}  // namespace

Result<std::vector<Extend>> firmware_extends(ByteView log, HashAlgo bank) {
  TRY_ASSIGN(const std::vector<FirmwareEvent> events, read_event_log(log, bank));
  std::vector<Extend> extends;
  for (const FirmwareEvent& event : events)
    extends.push_back({event.pcr, to_bytes(event.digest), guess_who(event.pcr, event.type),
                       describe(type_name(event.type), text_in(event.data))});
  return extends;
}

Result<std::vector<Extend>> systemd_extends(std::string_view log, HashAlgo bank) {
  TRY_ASSIGN(const auto records, read_json_sequence(log));
  std::vector<Extend> extends;
  size_t number = 0;
  for (const json& record : records) {
    const std::string where = "record " + std::to_string(++number) + ": ";
    if (string_in(record, "content_type") == kOwnContentType) continue;
    const auto pcr = record.find("pcr");
    if (pcr == record.end()) continue;  // of an NV index
    if (!pcr->is_number_unsigned() || pcr->get<uint64_t>() >= kPcrCount)
      return Error{ErrorCode::kCorrupt, 0, where + "no such PCR"};
    auto digest = digest_of(record, bank);
    if (!digest) return Error{ErrorCode::kCorrupt, 0, where + digest.error().message};
    if (digest->empty()) continue;
    const auto content = record.find("content");
    const json none;
    const json& said = content == record.end() ? none : *content;
    const std::string type = string_in(said, "eventType");
    extends.push_back(
        {pcr->get<unsigned>(), *std::move(digest), "systemd",
         describe(type.empty() ? "a measurement" : escape(type, kMaxShown), string_in(said, "string"))});
  }
  return extends;
}

}  // namespace diglim
