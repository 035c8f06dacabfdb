// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/tls/ssh.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/ssh/agent.h"
#include "lib/tpm/signer.h"
#include "lib/tpm/tpm.h"
#include "tools/diglim/measure/options.h"
#include "tools/diglim/tls/agent_keys.h"
#include "tools/diglim/tls/agent_server.h"
#include "tools/diglim/written.h"

namespace diglim {
namespace {

constexpr unsigned kMaxWait_ms = 600000;

class Agent {
 public:
  using Complain = std::function<void(const std::string&)>;

  Agent(const std::vector<std::string>& paths, SignerSettings settings, Complain complain)
      : wait_(settings.wait),
        complain_(std::move(complain)),
        signer_(std::move(settings)),
        keys_(
            paths, [this](const TpmKeyParts& key) { return signer_.check(key); }, complain_) {}

  const AgentKeys& keys() {
    keys_.refresh();
    return keys_;
  }

  Bytes answer(ByteView message, AgentClient& client, std::chrono::milliseconds waited) {
    const auto request = read_agent_request(message);
    if (!request) return agent_failure();
    if (std::holds_alternative<AgentListKeys>(*request)) return list();
    if (const auto* bind = std::get_if<AgentBind>(&*request); bind != nullptr && bind->forwarded) {
      client.forwarded = true;  // for good: who is asked through another machine is not told anything else
      return agent_success();
    }
    if (const auto* sign = std::get_if<AgentSign>(&*request)) {
      auto signature = make_signature(*sign, client, waited);
      if (signature) return agent_signature(*signature);
      complain_(fmt::format("no signature for pid {}, uid {}: {}", client.pid, client.uid,
                            signature.error().message));
    }
    return agent_failure();
  }

 private:
  Bytes list() {
    std::vector<AgentIdentity> all;
    for (const auto& one : keys().all()) all.push_back({one->key.ssh.blob, escape(one->path)});
    return agent_keys(all);
  }

  Result<Bytes> make_signature(const AgentSign& request, const AgentClient& client,
                               std::chrono::milliseconds waited) {
    if (client.forwarded)
      return unsupported(
          "the connection is forwarded to another machine (ssh -A), and the key speaks for this one only");
    const auto key = keys().find(request.key);
    if (!key)
      return not_found(
          "the key that is asked for is in none of the files (diglim tls ssh-key FILE shows which one has "
          "which)");
    auto signature = sign_with(*key, request, waited);
    if (!signature)
      return with_context(escape(key->path) + " (" + key->key.fingerprint + ")", signature.error());
    return signature;
  }

  Result<Bytes> sign_with(const AgentKey& key, const AgentSign& request, std::chrono::milliseconds waited) {
    // Others had the TPM for so long that this one would not be in time either.
    if (waited >= wait_)
      return Error{ErrorCode::kIo, 0,
                   fmt::format("TPM: others kept it busy for {} ms (--wait-ms)", waited.count())};
    TRY_ASSIGN(const SshScheme scheme, ssh_scheme(key.key.ssh.type, request.flags));
    TRY_ASSIGN(const Bytes digest, hash(scheme.hash, {request.data}));
    const bool rsa = key.key.parts.public_part.publicArea.type == TPM2_ALG_RSA;
    TRY_ASSIGN(const Bytes made,
               signer_.sign(key.key.parts, rsa ? SignatureScheme::kRsaPkcs1 : SignatureScheme::kEcdsa,
                            scheme.hash, digest));
    return ssh_signature(scheme, made);
  }

  std::chrono::milliseconds wait_;
  Complain complain_;
  TpmSigner signer_;
  AgentKeys keys_;
};

// Each client has a descriptor; what is left is for files and the TPM.
size_t clients_that_fit() {
  constexpr rlim_t kOthers = 64;
  constexpr rlim_t kMost = 4096;
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return AgentLimits().clients / 2;
  limit.rlim_cur = std::min(limit.rlim_max, kMost + kOthers);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) (void)getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur > 2 * kOthers ? limit.rlim_cur - kOthers : kOthers / 2;
}

// Those that systemd gave, or one at `path`.
Result<std::vector<Fd>> listeners(const std::string& path) {
  std::vector<Fd> all;
  const int given = sd_listen_fds(1);
  if (given < 0) return from_errno("sockets of systemd", -given);
  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + given; ++fd) all.emplace_back(fd);
  for (const Fd& fd : all) {
    if (sd_is_socket(fd.get(), AF_UNIX, SOCK_STREAM, 1) <= 0)
      return invalid("systemd gave what is no listening socket of type ListenStream= with a path");
  }
  if (all.empty() == path.empty())
    return invalid(path.empty() ? "--socket PATH says where to listen, unless a socket unit of systemd does"
                                : "systemd gave a socket: --socket has no meaning");
  if (!path.empty()) {
    TRY_ASSIGN(Fd fd, listen_at(path));
    all.push_back(std::move(fd));
  }
  return all;
}

// What a person named has to be there, and this TPM's. What lies in a directory may come later.
Result<void> check_named(const std::vector<std::string>& paths, Agent& agent) {
  const AgentKeys& keys = agent.keys();
  for (const std::string& path : paths) {
    if (list_folder(path)) continue;
    TRY_ASSIGN(const PublicTpmKey key, read_ssh_key(path));
    if (!keys.find(key.ssh.blob)) return untrusted(escape(path) + " cannot be used");
  }
  return {};
}

int serve(const OptionParser& app, const std::vector<std::string>& paths, const std::string& socket,
          const SignerSettings& settings) {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, one);
  (void)sigprocmask(SIG_BLOCK, &ends, nullptr);  // before there are threads
  const Fd signals(signalfd(-1, &ends, SFD_CLOEXEC));
  const auto complain_here = [&](const std::string& text) { complain(app.name(), text); };
  Agent agent(paths, settings, complain_here);
  if (const auto named = check_named(paths, agent); !named) return fail(app, named.error());
  const auto sockets = listeners(socket);
  if (!sockets) return fail(app, sockets.error());
  AgentLimits limits;
  limits.clients = clients_that_fit();
  (void)sd_notify(0, "READY=1");  // nobody listens, or it waits
  const auto served = serve_agent(
      *sockets, signals, limits,
      [&](ByteView message, AgentClient& client, std::chrono::milliseconds waited) {
        return agent.answer(message, client, waited);
      },
      complain_here);
  if (!socket.empty()) (void)unlink(socket.c_str());
  return served ? kExitOk : fail(app, served.error());
}

}  // namespace

SshVerbs::SshVerbs(OptionParser& tls) {
  key_app_ = tls.add_subcommand("ssh-key", "print a key's public part as OpenSSH writes it");
  key_app_->add_option("KEY", key_.key, "file of create-key").required();
  key_app_->add_option("-o,--output", key_.output, "file for it (default: standard output)");
  key_app_->add_option("--comment", key_.comment, "what stands behind it (default: nothing)");
  key_app_->add_flag("--json", key_.json, "print JSON");
  agent_app_ = tls.add_subcommand("ssh-agent", "be an SSH agent with such keys, until it is ended");
  agent_app_->add_option("KEY", agent_.keys, "files of create-key, or directories of them (*.key)")
      .required();
  agent_app_->add_option("--socket", agent_.socket, "where to listen (default: where systemd says)");
  agent_app_->add_option("--wait-ms", agent_.wait_ms,
                         "how long a signature waits for the TPM (default: 5000)");
  add_tcti_option(*agent_app_, agent_.tcti);
}

int SshVerbs::print_key(const OptionParser& app) const {
  if (key_.comment.find_first_of("\r\n") != std::string::npos)
    return fail(app, kExitUsage, "--comment is one line");
  if (key_.json && key_.output == "-")
    return fail(app, kExitUsage, "--json says what was written: name a file (-o FILE)");
  const auto key = read_ssh_key(key_.key);
  if (!key) return fail(app, key.error());
  const std::string line = ssh_key_line(key->ssh, key_.comment);
  if (!key_.output.empty()) {
    const auto written = write_output(key_.output, as_bytes(line + "\n"), 0644);
    if (!written) return fail(app, written.error());
  }
  if (key_.json) {
    JsonWriter json;
    json.begin_object();
    if (!key_.output.empty()) json.key("written").value(key_.output);
    json.key("type").value(key->ssh.type).key("fingerprint").value(key->fingerprint);
    fmt::print("{}\n", json.key("public_key").value(line).end_object().text());
  } else if (key_.output.empty()) {
    fmt::print("{}\n", line);
  }
  return kExitOk;
}

std::optional<int> SshVerbs::run(const OptionParser& tls) const {
  if (key_app_->parsed()) return print_key(tls);
  if (!agent_app_->parsed()) return std::nullopt;
  if (agent_.wait_ms < 1 || agent_.wait_ms > kMaxWait_ms)
    return fail(tls, kExitUsage, "--wait-ms is a number from 1 to 600000");
  return serve(tls, agent_.keys, agent_.socket,
               {.tcti = agent_.tcti,
                .wait = std::chrono::milliseconds(agent_.wait_ms),
                .keep = has_resource_manager(agent_.tcti)});
}

}  // namespace diglim
