// Where log lines leave the process; inside this folder only.
#pragma once

#include <memory>
#include <string>

namespace postrider::log {

class Sink {
 public:
  virtual ~Sink() = default;
  /// Queues one line without its newline; flushes by itself when much has collected.
  virtual void add(std::string line) = 0;
  virtual void flush() = 0;
};

/// Datagrams to a UNIX-domain socket: one line each, or several lines with newlines between them where the
/// receiver is postlogd. While nobody listens, lines go to `fallback_file` if that is set, else they wait (a
/// bounded number of them) and the oldest are dropped.
std::unique_ptr<Sink> datagram_sink(std::string path, std::string fallback_file, bool join_lines,
                                    unsigned fallback_mode = 0600);

/// Whole lines appended to a file, created with mode 0640.
std::unique_ptr<Sink> file_sink(std::string path);

}  // namespace postrider::log
