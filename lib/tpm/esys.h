// SPDX-License-Identifier: Apache-2.0
// Inside lib/tpm: ESYS with owned handles and Result.
#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tcti.h>

#include <memory>

#include "lib/base/owned.h"
#include "lib/tpm/tpm.h"

namespace diglim {

template <typename T>
using EsysPtr = Owned<T, Esys_Free>;

// "TPM: what: reason", kIo.
Error tpm_error(std::string_view what, TSS2_RC code);
Result<void> tpm_check(std::string_view what, TSS2_RC code);

// A loaded key or a session; flushed when it goes.
class Handle {
 public:
  Handle() = default;
  // `transient` false: a persistent object, which stays.
  Handle(ESYS_CONTEXT* context, ESYS_TR handle, bool transient = true)
      : context_(context), handle_(handle), transient_(transient) {}
  Handle(Handle&& other) noexcept { *this = std::move(other); }
  Handle& operator=(Handle&& other) noexcept;
  ~Handle() { flush(); }

  ESYS_TR get() const { return handle_; }
  explicit operator bool() const { return handle_ != ESYS_TR_NONE; }

 private:
  void flush();

  ESYS_CONTEXT* context_ = nullptr;
  ESYS_TR handle_ = ESYS_TR_NONE;
  bool transient_ = true;
};

struct Tpm::State {
  struct FreeTcti {
    void operator()(TSS2_TCTI_CONTEXT* context) const;
  };
  struct FreeContext {
    void operator()(ESYS_CONTEXT* context) const { Esys_Finalize(&context); }
  };
  // In this order: the context uses the transport.
  std::unique_ptr<TSS2_TCTI_CONTEXT, FreeTcti> tcti;
  std::unique_ptr<ESYS_CONTEXT, FreeContext> esys;
  Bytes expected_ek;
  Handle ek;  // loaded at the first use
  Bytes ek_public;

  ESYS_CONTEXT* context() const { return esys.get(); }
  Result<void> load_ek();
  // Salted with the endorsement key, parameters encrypted both ways. `type`: TPM2_SE_HMAC or TPM2_SE_POLICY.
  Result<Handle> start_session(TPM2_SE type);
  struct Key {
    Handle handle;
    Bytes public_area;
  };
  Result<Key> create_primary(ESYS_TR hierarchy, const TPM2B_PUBLIC& area, std::string_view what);
  Result<Key> load_ak();
  Result<Key> load_storage_key();
  // The registers of `selection` in a policy session, or the key's approval of them.
  Result<Handle> satisfy(const SealPolicy& policy, const Authorization* authorization);
};

}  // namespace diglim
