// SPDX-License-Identifier: Apache-2.0
#include "provider/provider.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/tpm/tpm.h"

namespace diglim::provider {
namespace {

constexpr int kMaxWaitMs = 600000;

// As the section of openssl.cnf that activates us says them.
struct Configured {
  char* tcti = nullptr;
  char* wait_ms = nullptr;
  char* keep = nullptr;
};

Configured read_configuration(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* in) {
  Configured read;
  for (; in->function_id != 0; ++in) {
    if (in->function_id != OSSL_FUNC_CORE_GET_PARAMS) continue;
    OSSL_PARAM wanted[] = {OSSL_PARAM_construct_utf8_ptr("tcti", &read.tcti, 0),
                           OSSL_PARAM_construct_utf8_ptr("wait-ms", &read.wait_ms, 0),
                           OSSL_PARAM_construct_utf8_ptr("keep", &read.keep, 0), OSSL_PARAM_construct_end()};
    (void)OSSL_FUNC_core_get_params(in)(core, wanted);  // what is not there stays null
  }
  return read;
}

std::string tcti_of(const Configured& configured) {
  if (const char* said = secure_getenv("DIGLIM_TCTI"); said != nullptr && *said != 0) return said;
  if (configured.tcti != nullptr) return configured.tcti;
  if (const char* said = secure_getenv("TPM2TOOLS_TCTI"); said != nullptr && *said != 0) return said;
  return kDefaultTcti;
}

// A setting that silently does nothing is worse than keys that cannot be read.
Result<SignerSettings> settings_of(const Configured& configured) {
  SignerSettings settings;
  settings.tcti = tcti_of(configured);
  settings.keep = has_resource_manager(settings.tcti);
  if (configured.keep != nullptr) {
    const std::string_view keep = configured.keep;
    if (keep != "yes" && keep != "no") return invalid("keep is \"yes\" or \"no\"");
    settings.keep = keep == "yes";
  }
  if (configured.wait_ms != nullptr) {
    const std::string_view text = configured.wait_ms;
    int wait = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wait);
    if (error != std::errc() || end != text.data() + text.size() || wait < 1 || wait > kMaxWaitMs)
      return invalid("wait-ms is a number from 1 to 600000");
    settings.wait = std::chrono::milliseconds(wait);
  }
  return settings;
}

void teardown(void* context) {
  delete static_cast<Context*>(context);
}

const OSSL_PARAM kAbout[] = {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
                             OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, nullptr, 0),
                             OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr), OSSL_PARAM_END};

const OSSL_PARAM* gettable_params(void* /*context*/) {
  return kAbout;
}

int get_params(void* context, OSSL_PARAM params[]) {
  const bool works = !static_cast<Context*>(context)->wrong_setting;
  OSSL_PARAM* name = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
  OSSL_PARAM* version = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_VERSION);
  OSSL_PARAM* status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  return static_cast<int>((name == nullptr || OSSL_PARAM_set_utf8_ptr(name, "DIGLIM's keys in a TPM") == 1) &&
                          (version == nullptr || OSSL_PARAM_set_utf8_ptr(version, DIGLIM_VERSION) == 1) &&
                          (status == nullptr || OSSL_PARAM_set_int(status, static_cast<int>(works)) == 1));
}

const OSSL_ALGORITHM* query(void* /*context*/, int operation, int* no_cache) {
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT:
      return kKeyManagement;
    case OSSL_OP_SIGNATURE:
      return kSignatures;
    case OSSL_OP_DECODER:
      return kDecoders;
    default:
      return nullptr;
  }
}

const OSSL_DISPATCH kProvider[] = {entry(OSSL_FUNC_PROVIDER_TEARDOWN, teardown),
                                   entry(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, gettable_params),
                                   entry(OSSL_FUNC_PROVIDER_GET_PARAMS, get_params),
                                   entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
                                   {0, nullptr}};

}  // namespace

void raise(int reason, const Error& error) {
  ERR_raise_data(ERR_LIB_PROV, reason, "diglim-tpm: %s", error.message.c_str());
}

}  // namespace diglim::provider

// OpenSSL calls it while it reads its configuration, so nothing here may have it read that again.
extern "C" __attribute__((visibility("default"))) int OSSL_provider_init(const OSSL_CORE_HANDLE* core,
                                                                         const OSSL_DISPATCH* in,
                                                                         const OSSL_DISPATCH** out,
                                                                         void** provider_context) {
  using namespace diglim::provider;
  auto settings = settings_of(read_configuration(core, in));
  auto context = std::make_unique<Context>();
  context->libctx.reset(OSSL_LIB_CTX_new_from_dispatch(core, in));
  if (!context->libctx) return 0;
  // OpenSSL forgets why a provider did not load, so a wrong setting is said where a key is read.
  if (settings)
    context->signer = std::make_unique<diglim::TpmSigner>(*std::move(settings));
  else
    context->wrong_setting = settings.error();
  *provider_context = context.release();
  *out = kProvider;
  return 1;
}
