// SPDX-License-Identifier: Apache-2.0
#include "policy/apparmor.h"

namespace diglim {
namespace {

constexpr uint32_t kInterfaceVersion = 5;

// enum aa_code, security/apparmor/include/policy_unpack.h
enum Code : uint8_t { kU32 = 2, kName = 4, kString = 5, kStruct = 7, kStructEnd = 8 };

void put_text(Bytes& out, Code code, std::string_view text) {
  out.push_back(code);
  put_u16_le(out, static_cast<uint16_t>(text.size() + 1));
  out.insert(out.end(), text.begin(), text.end());
  out.push_back(0);
}

void put_number(Bytes& out, uint32_t number) {
  out.push_back(kU32);
  put_u32_le(out, number);
}

}  // namespace

Bytes empty_profile(std::string_view name) {
  Bytes out;
  put_text(out, kName, "version");
  put_number(out, kInterfaceVersion);
  put_text(out, kName, "profile");
  out.push_back(kStruct);
  put_text(out, kString, name);
  put_text(out, kName, "flags");
  out.push_back(kStruct);
  for (int i = 0; i < 3; ++i) put_number(out, 0);  // no flags, enforce, no audit
  out.push_back(kStructEnd);
  for (int i = 0; i < 4; ++i) put_number(out, 0);  // no capability allowed, audited, quiet
  out.push_back(kStructEnd);
  return out;
}

}  // namespace diglim
