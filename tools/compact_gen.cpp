// SPDX-License-Identifier: Apache-2.0
// compact_gen: makes, and signs, a compact digest list of files. See compact_gen(1).
#include <fmt/format.h>

#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/standard_output.h"
#include "lib/base/text.h"
#include "tools/file_digests.h"
#include "tools/passphrase.h"
#include "tools/progress.h"
#include "tools/signed_list.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr std::string_view kTool = "compact_gen";
constexpr size_t kMaxNameBytes = 255 - 7;  // NAME_MAX without the ".XXXXXX" of write_file_atomically()

struct Options {
  std::string folder;
  std::vector<std::string> inputs;
  std::string algorithm = "sha256";
  std::string type = "file";
  std::string name;
  unsigned position = 0;
  std::string key;
  std::string certificate;
  std::string passphrase_file;
  bool immutable = false;
  bool quiet = false;
  bool json = false;
};

struct Made {
  std::string path;
  HashAlgo algo = HashAlgo::kSha256;
  size_t digests = 0;
  size_t files = 0;
  std::string signer;  // empty: unsigned
  bool replaced = false;
};

std::optional<int> read_options(int argc, char** argv, Options& options) {
  OptionParser app("Makes a compact digest list of files, for diglim-loader.", std::string(kTool));
  app.add_option("-d,--directory", options.folder, "directory the list is written to (made if missing)")
      .required();
  app.add_option("-i,--input", options.inputs, "files, or directories with all files below them").required();
  app.add_option("-a,--algorithm", options.algorithm,
                 "digest algorithm: sha256 (default), sha384, sha512, ...");
  app.add_option("-t,--type", options.type, "type of the list: file");
  app.add_option("-k,--key", options.key, "key that signs the list: a PEM file, pkcs11:..., handle:0x...");
  app.add_option("-c,--certificate", options.certificate, "its certificate (PEM or DER)");
  app.add_option("--passphrase-file", options.passphrase_file,
                 "first line: pass phrase or PIN (default: $DIGLIM_PASSPHRASE, else asks)");
  app.add_flag("-f,--immutable", options.immutable, "set the immutable modifier of 2022 (changes nothing)");
  app.add_option("--name", options.name, "name of the list, instead of the first input's");
  app.add_option("--position", options.position, "first number of the file name (default 0)");
  app.add_flag("-q,--quiet", options.quiet, "print errors only");
  app.add_flag("--json", options.json, "print the result as JSON");
  if (const auto status = app.parse(argc, argv)) return status;

  const auto usage = [](std::string_view reason) {
    complain(kTool, reason);
    return kExitUsage;
  };
  if (!hash_from_name(options.algorithm))
    return usage("unknown digest algorithm " + escape(options.algorithm));
  if (options.type != "file") {
    return usage(
        "only lists of type \"file\" have a use today; parser, metadata and digest_list are from 2022");
  }
  if (options.key.empty() != options.certificate.empty()) return usage("-k and -c go together");
  return std::nullopt;
}

// "0-file_list-compact-NAME", which is what users of 2022 look for. NAME is the first input's last component.
Result<std::string> list_path(const Options& options) {
  std::string name = options.name;
  if (name.empty()) {
    std::error_code error;
    // Resolves ".", ".." and a slash at the end; a link keeps its own name.
    std::filesystem::path path = std::filesystem::absolute(options.inputs.front(), error).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    name = path.filename().string();
    if (name.empty()) name = "root";  // "/" has no name
  }
  if (name.find('/') != std::string::npos) return invalid("--name: a name has no '/'");
  name = fmt::format("{}-file_list-compact-{}", options.position, name);
  if (name.size() > kMaxNameBytes)
    return invalid("the list's file name would be too long; give a shorter --name");
  return options.folder + (options.folder.ends_with('/') ? "" : "/") + name;
}

void report(const Made& made, const Options& options) {
  if (options.json) {
    JsonWriter json;
    json.begin_object().key("list").value(made.path).key("algorithm").value(hash_name(made.algo));
    json.key("digests").value(uint64_t{made.digests}).key("files").value(uint64_t{made.files});
    json.key("signed").value(!made.signer.empty()).key("signer").value(made.signer);
    json.key("replaced").value(made.replaced).end_object();
    fmt::print("{}\n", json.text());
    return;
  }
  if (options.quiet) return;
  fmt::print("{}{}: {} {} digest{} of {} file{}, {}\n", escape(made.path), made.replaced ? " (replaced)" : "",
             made.digests, hash_name(made.algo), made.digests == 1 ? "" : "s", made.files,
             made.files == 1 ? "" : "s", made.signer.empty() ? "not signed" : "signed by " + made.signer);
  if (made.signer.empty()) {
    fmt::print(
        stderr,
        "{}: the list is not signed, so diglim-loader will refuse it; sign it with -k KEY -c CERT, where\n"
        "  CERT is among the keys that the loader trusts (see \"SIGNING\" in compact_gen(1))\n",
        kTool);
  } else {
    fmt::print("next: diglim-loader load {}\n", shell_word(made.path));
  }
}

int fail(const Error& error, int status) {
  complain(kTool, error.message + "; nothing was written");
  return status;
}

int run(int argc, char** argv) {
  Options options;
  if (const auto status = read_options(argc, argv, options)) return *status;
  Made made;
  made.algo = *hash_from_name(options.algorithm);
  const auto path = list_path(options);
  if (!path) return fail(path.error(), kExitUsage);
  made.path = *path;

  Result<FileDigests> digests = [&] {
    Progress progress("hashing", 0, !options.quiet && !options.json);
    return digest_files(options.inputs, made.algo, [&](std::string_view file) { progress.step(file); });
  }();
  if (!digests) return fail(digests.error(), kExitRejected);
  made.files = digests->files;
  made.digests = digests->digests.size();

  auto list = make_compact_list(*digests, made.algo, options.immutable);
  if (!list) return fail(list.error(), kExitRejected);
  if (!options.key.empty()) {
    auto signer = sign_compact_list(*list, options.key, options.certificate,
                                    passphrase_for(options.passphrase_file, options.key));
    if (!signer) return fail(signer.error(), kExitRejected);
    made.signer = *std::move(signer);
  }
  if (auto folder = make_folder(options.folder); !folder) return fail(folder.error(), kExitEnvironment);
  std::error_code ignored;  // only for the message
  made.replaced = std::filesystem::exists(made.path, ignored);
  if (auto written = write_file_atomically(made.path, *list, 0644); !written) {
    return fail(written.error(), kExitEnvironment);
  }
  report(made, options);
  return kExitOk;
}

}  // namespace
}  // namespace diglim

int main(int argc, char** argv) {
  return diglim::run_with_output("compact_gen", [&] { return diglim::run(argc, argv); });
}
