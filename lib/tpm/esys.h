// SPDX-License-Identifier: Apache-2.0
// Inside lib/tpm: ESYS with owned handles and Result.
#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_sys.h>
#include <tss2/tss2_tcti.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/base/owned.h"
#include "lib/tpm/waiting.h"

namespace diglim {

template <typename T>
using EsysPtr = Owned<T, Esys_Free>;

// "TPM: what: reason", kIo; with EBUSY if the TPM has no room for one more key or session now.
Error tpm_error(std::string_view what, TSS2_RC code);
Result<void> tpm_check(std::string_view what, TSS2_RC code);

// Without the number of the parameter, handle or session that it is about.
TSS2_RC kind_of(TSS2_RC code);

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
  // Is not flushed by this process.
  void forget() { handle_ = ESYS_TR_NONE; }
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
  // In this order: the context uses the transport, through the one that knows the deadline.
  std::unique_ptr<TSS2_TCTI_CONTEXT, FreeTcti> tcti;
  std::unique_ptr<WaitingTcti> waiting;
  std::unique_ptr<ESYS_CONTEXT, FreeContext> esys;
  Bytes expected_ek;
  Handle ek;
  Bytes ek_public;

  ESYS_CONTEXT* context() const { return esys.get(); }
};

// A command whose refusal is an answer, such as "the registers hold other values". It goes by SAPI below
// ESYS: ESYS writes each refusal to the standard error of whatever program this is part of, and only the
// environment (TSS2_LOG), which is not ours to change, keeps it from that. `command`: calls Tss2_Sys_X, and
// may be called again. `session`: as it is to know it.
TSS2_RC ask_quietly(const TpmConnection& tpm, const Handle& session,
                    const std::function<TSS2_RC(TSS2_SYS_CONTEXT*, TPM2_HANDLE session)>& command);

// `tcti` and errors as Tpm::open(). What is asked has to be answered until `deadline` (waiting.h).
Result<std::unique_ptr<TpmConnection>> connect_tpm(
    const std::string& tcti,
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());

}  // namespace diglim
