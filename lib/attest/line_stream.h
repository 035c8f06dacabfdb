// SPDX-License-Identifier: Apache-2.0
// Lines of a file, a pipe or a terminal, as many at a time as there are, none longer than allowed.
#pragma once

#include <string>
#include <vector>

#include "lib/base/file.h"

namespace diglim {

class LineStream {
 public:
  struct Line {
    size_t number = 0;  // from 1
    std::string text;   // without the line feed; empty if too_long
    bool too_long = false;
  };
  static constexpr size_t kMaxLines = 1024;
  static constexpr size_t kMaxBytes = 16u << 20;

  // `path` is for messages.
  LineStream(Fd file, std::string path, size_t max_line)
      : file_(std::move(file)), path_(std::move(path)), max_line_(max_line) {}

  // Waits for one line, and gives all that are there, until they are kMaxLines or have kMaxBytes (one read of
  // 64 KiB more); so who waits for an answer to one gets it. Empty lines are passed over. None: the end. A
  // last line without a line feed counts. kIo.
  Result<std::vector<Line>> next();

 private:
  bool is_readable() const;
  void take(std::string_view text);
  void end_line();

  Fd file_;
  std::string path_;
  size_t max_line_;
  Line line_ = {1, "", false};  // as far as it was read
  std::vector<Line> lines_;
  size_t bytes_ = 0;  // of lines_
  bool at_end_ = false;
};

}  // namespace diglim
