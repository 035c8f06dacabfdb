// SPDX-License-Identifier: Apache-2.0
// Inside lib/tpm: ESYS with owned handles and Result.
#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tcti.h>

#include <memory>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/base/owned.h"

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

// What Tpm holds: the connection, and the endorsement key once it is loaded (keys.h).
struct TpmConnection {
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
  Handle ek;
  Bytes ek_public;

  ESYS_CONTEXT* context() const { return esys.get(); }
};

// `tcti` and errors as Tpm::open().
Result<std::unique_ptr<TpmConnection>> connect_tpm(const std::string& tcti);

}  // namespace diglim
