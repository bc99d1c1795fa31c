#include "log/sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

#include "sys/fd.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace postrider::log {

namespace {

constexpr size_t kMaxQueuedLines = 2000;
constexpr size_t kFlushLines = 100;
constexpr size_t kMaxDatagram = 8192;  // More than one line only below this; Linux takes up to ~200 kB.

class DatagramSink : public Sink {
 public:
  DatagramSink(std::string path, std::string fallback_file, bool join_lines, unsigned fallback_mode)
      : path_(std::move(path)),
        fallback_file_(std::move(fallback_file)),
        fallback_mode_(fallback_mode),
        join_lines_(join_lines) {
    connect();
  }

  void add(std::string line) override {
    if (queue_.size() >= kMaxQueuedLines) queue_.pop_front();
    if (join_lines_ && !queue_.empty() && queue_.back().size() + line.size() < kMaxDatagram) {
      queue_.back() += '\n';
      queue_.back() += line;
    } else {
      queue_.push_back(std::move(line));
    }
    if (queue_.size() >= kFlushLines) flush();
  }

  void flush() override {
    while (!queue_.empty()) {
      if (!send_first()) return;
      queue_.pop_front();
    }
  }

 private:
  void connect() {
    auto address = sys::Address::from_path(path_);
    if (!address) return;
    sys::Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd && ::connect(fd.get(), address->get(), address->length()) == 0) socket_ = std::move(fd);
  }

  /// False when the line has to stay queued.
  bool send_first() {
    const std::string& line = queue_.front();
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (!socket_) connect();
      if (!socket_) break;
      for (int waits = 0; waits < 2; ++waits) {
        if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) >= 0) return true;
        if (errno == EMSGSIZE) return true;  // Would never fit: dropping it is all that is left.
        if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) break;
        // The receiver is slow. A short wait bounds what a stuck log daemon can cost a mail system; the lines
        // stay queued.
        pollfd wait{socket_.get(), POLLOUT, 0};
        if (::poll(&wait, 1, 100) <= 0) return false;
      }
      socket_.reset();  // The receiver is gone, perhaps restarted: once more from the start.
    }
    return fallback(line);
  }

  bool fallback(const std::string& line) {
    if (fallback_file_.empty()) return false;
    auto fd = sys::open_file(fallback_file_, O_WRONLY | O_APPEND | O_CREAT, fallback_mode_);
    return fd && sys::write_all(fd->get(), line + "\n");
  }

  std::string path_, fallback_file_;
  unsigned fallback_mode_;
  bool join_lines_;
  sys::Fd socket_;
  std::deque<std::string> queue_;
};

class FileSink : public Sink {
 public:
  explicit FileSink(std::string path) {
    if (auto fd = sys::open_file(path, O_WRONLY | O_APPEND | O_CREAT, 0640)) file_ = std::move(*fd);
  }
  void add(std::string line) override {
    text_ += line;
    text_ += '\n';
    if (text_.size() > 64 * 1024) flush();
  }
  void flush() override {
    if (file_ && !text_.empty()) (void)sys::write_all(file_.get(), text_);
    text_.clear();
  }

 private:
  sys::Fd file_;
  std::string text_;
};

}  // namespace

std::unique_ptr<Sink> datagram_sink(std::string path, std::string fallback_file, bool join_lines,
                                    unsigned fallback_mode) {
  return std::make_unique<DatagramSink>(std::move(path), std::move(fallback_file), join_lines, fallback_mode);
}

std::unique_ptr<Sink> file_sink(std::string path) {
  return std::make_unique<FileSink>(std::move(path));
}

}  // namespace postrider::log
