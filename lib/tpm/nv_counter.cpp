// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/nv_counter.h"

#include <algorithm>

#include "lib/tcg/marshal.h"

namespace diglim {
namespace {

constexpr uint64_t kMaxSteps = 64;  // each is a write to memory that wears out

std::string about(std::string_view what, uint32_t index) {
  return std::string(what) + " " + counter_index_text(index);
}

// What the TPM has at that index, whatever it is. kNotFound: nothing.
Result<Handle> find_index(const TpmConnection& tpm, uint32_t index) {
  ESYS_TR object = ESYS_TR_NONE;
  const TSS2_RC code =
      Esys_TR_FromTPMPublic(tpm.context(), index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object);
  if (kind_of(code) == TPM2_RC_HANDLE)
    return not_found("TPM: there is no counter " + counter_index_text(index) +
                     "; diglim pcr counter --create makes it");
  TRY(tpm_check(about("find the counter", index), code));
  return Handle(tpm.context(), object, false);
}

// Its name is computed by tpm2-tss, from what the TPM says of it.
Result<bool> is_counter(const TpmConnection& tpm, const Handle& handle, uint32_t index) {
  TPM2B_NAME* name = nullptr;
  TRY(tpm_check("name the counter", Esys_TR_GetName(tpm.context(), handle.get(), &name)));
  const EsysPtr<TPM2B_NAME> free_name(name);
  TRY_ASSIGN(const Bytes wanted, counter_name(index));
  return std::ranges::equal(ByteView(name->name, name->size), wanted);
}

Result<Handle> find_counter(const TpmConnection& tpm, uint32_t index) {
  TRY_ASSIGN(Handle handle, find_index(tpm, index));
  TRY_ASSIGN(const bool counter, is_counter(tpm, handle, index));
  if (!counter)
    return untrusted("TPM: what is at " + counter_index_text(index) +
                     " is no counter that diglim pcr counter --create made; choose another --index");
  return handle;
}

Result<uint64_t> read_value(const TpmConnection& tpm, const Handle& handle, uint32_t index) {
  TPM2B_MAX_NV_BUFFER* data = nullptr;
  TRY(tpm_check(about("read the counter", index),
                Esys_NV_Read(tpm.context(), handle.get(), handle.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                             ESYS_TR_NONE, sizeof(uint64_t), 0, &data)));
  const EsysPtr<TPM2B_MAX_NV_BUFFER> free_data(data);
  if (data->size != sizeof(uint64_t)) return corrupt(data->size, "TPM: a counter that is not of 8 bytes");
  uint64_t value = 0;
  for (unsigned i = 0; i < sizeof(value); ++i) value = value << 8 | data->buffer[i];
  return value;
}

Result<void> increment(TpmConnection& tpm, const Handle& handle, uint32_t index) {
  return tpm_check(about("advance the counter", index),
                   Esys_NV_Increment(tpm.context(), ESYS_TR_RH_OWNER, handle.get(), ESYS_TR_PASSWORD,
                                     ESYS_TR_NONE, ESYS_TR_NONE));
}

}  // namespace

Result<uint64_t> make_counter(TpmConnection& tpm, uint32_t index) {
  if (auto present = find_index(tpm, index); present || present.error().code != ErrorCode::kNotFound) {
    if (!present) return present.error();
    return read_counter(tpm, index);
  }
  const TPM2B_AUTH no_password = {};
  TPM2B_NV_PUBLIC area = {};
  area.nvPublic = counter_area(index);
  ESYS_TR object = ESYS_TR_NONE;
  TRY(tpm_check(about("make the counter", index),
                Esys_NV_DefineSpace(tpm.context(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                    ESYS_TR_NONE, &no_password, &area, &object)));
  // Nothing can be read of it, and its name is another, until it was incremented.
  const Handle handle(tpm.context(), object, false);
  TRY(increment(tpm, handle, index));
  return read_counter(tpm, index);
}

Result<uint64_t> read_counter(const TpmConnection& tpm, uint32_t index) {
  TRY_ASSIGN(const Handle handle, find_counter(tpm, index));
  return read_value(tpm, handle, index);
}

Result<uint64_t> advance_counter(TpmConnection& tpm, uint32_t index, uint64_t value) {
  TRY_ASSIGN(const Handle handle, find_counter(tpm, index));
  TRY_ASSIGN(uint64_t now, read_value(tpm, handle, index));
  if (now < value && value - now > kMaxSteps)
    return invalid("the counter is " + std::to_string(now) + ", and advances by at most " +
                   std::to_string(kMaxSteps) + " at once");
  while (now < value) {
    TRY(increment(tpm, handle, index));
    TRY_ASSIGN(now, read_value(tpm, handle, index));
  }
  return now;
}

Result<bool> follow_counter(const TpmConnection& tpm, const Handle& session, const CounterLimit& limit) {
  TPM2B_NV_PUBLIC area = {};
  TPM2B_NAME name = {};
  TSS2_RC code = ask_quietly(tpm, session, [&](TSS2_SYS_CONTEXT* sys, TPM2_HANDLE) {
    return Tss2_Sys_NV_ReadPublic(sys, limit.index, nullptr, &area, &name, nullptr);
  });
  if (kind_of(code) == TPM2_RC_HANDLE) return false;
  TRY(tpm_check(about("find the counter", limit.index), code));
  // What else is there makes another policy. So does whoever changes the answer on the bus.
  TRY_ASSIGN(const Bytes wanted, counter_name(limit.index));
  if (!std::ranges::equal(ByteView(name.name, name.size), wanted)) return false;
  TPM2B_OPERAND operand = {};
  TRY(fill(operand.size, operand.buffer, counter_operand(limit.at_most)));
  TSS2L_SYS_AUTH_COMMAND no_password = {};
  no_password.count = 1;
  no_password.auths[0].sessionHandle = TPM2_RS_PW;
  code = ask_quietly(tpm, session, [&](TSS2_SYS_CONTEXT* sys, TPM2_HANDLE number) {
    return Tss2_Sys_PolicyNV(sys, limit.index, limit.index, number, &no_password, &operand, 0,
                             kCounterOperation, nullptr);
  });
  // An index with a password has the same name.
  if (code == TPM2_RC_POLICY || kind_of(code) == TPM2_RC_BAD_AUTH || kind_of(code) == TPM2_RC_AUTH_FAIL)
    return false;
  TRY(tpm_check(about("compare the counter", limit.index), code));
  return true;
}

}  // namespace diglim
