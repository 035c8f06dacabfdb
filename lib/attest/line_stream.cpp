// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/line_stream.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "lib/base/text.h"

namespace diglim {

bool LineStream::is_readable() const {
  pollfd wanted = {file_.get(), POLLIN, 0};
  return poll(&wanted, 1, 0) > 0;
}

void LineStream::end_line() {
  const size_t number = line_.number;
  if (!line_.text.empty() || line_.too_long) {
    bytes_ += line_.text.size();
    lines_.push_back(std::move(line_));
  }
  line_ = {number + 1, "", false};
}

void LineStream::take(std::string_view text) {
  for (;;) {
    const size_t end = text.find('\n');
    const std::string_view piece = text.substr(0, end);
    if (line_.text.size() + piece.size() > max_line_) {
      line_.too_long = true;
      std::string().swap(line_.text);  // clear() would keep the memory
    }
    if (!line_.too_long) line_.text += piece;
    if (end == std::string_view::npos) return;
    end_line();
    text.remove_prefix(end + 1);
  }
}

Result<std::vector<LineStream::Line>> LineStream::next() {
  char room[1u << 16];
  while (!at_end_ && lines_.size() < kMaxLines && bytes_ < kMaxBytes && (lines_.empty() || is_readable())) {
    const ssize_t got = read(file_.get(), room, sizeof(room));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno("read " + escape(path_), errno);
    take({room, static_cast<size_t>(got)});
    if (got != 0) continue;
    at_end_ = true;
    end_line();
  }
  bytes_ = 0;
  return std::exchange(lines_, {});
}

}  // namespace diglim
