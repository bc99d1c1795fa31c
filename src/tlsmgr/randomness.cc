#include "tlsmgr/randomness.h"

#include <fcntl.h>

#include <algorithm>

#include <openssl/rand.h>

#include "config/params/tls.h"
#include "io/stream.h"
#include "log/log.h"
#include "sys/file.h"

namespace postrider::tlsmgr {

namespace params = config::params;

namespace {

/// The largest request that the protocol of such a daemon knows.
constexpr size_t kMaxBytes = 255;
constexpr size_t kKept = 1024;
constexpr std::string_view kDevice = "dev:", kDaemon = "egd:";
/// "Send so many bytes when you have them", in the language of entropy gathering daemons.
constexpr char kBlockingRead = 2;

}  // namespace

RandomSettings::RandomSettings(const config::Config& c)
    : source(c.get(params::tls_random_source)),
      bytes(static_cast<size_t>(std::clamp(c.get(params::tls_random_bytes), 1, static_cast<int>(kMaxBytes)))),
      exchange_file(c.get(params::tls_random_exchange_name)),
      reseed_period(c.get(params::tls_random_reseed_period)),
      save_period(c.get(params::tls_random_prng_update_period)) {}

void Randomness::open() {
  const std::string& source = settings_.source;
  if (!source.empty() && !source.starts_with(kDaemon)) {
    std::string path = source.starts_with(kDevice) ? source.substr(kDevice.size()) : source;
    auto fd = sys::open_file(path, O_RDONLY | O_NONBLOCK);
    if (fd) {
      source_ = std::move(*fd);
    } else {
      log::warning("cannot open entropy source {}: {}", source, fd.error().text);
    }
  }
  if (settings_.exchange_file.empty()) return;
  auto fd = sys::open_file(settings_.exchange_file, O_RDWR | O_CREAT, 0600);
  if (!fd) return log::warning("cannot open PRNG exchange file: {}", fd.error().text);
  exchange_ = std::move(*fd);
  std::string kept(kKept, '\0');
  auto count = sys::read_at(exchange_.get(), kept.data(), kept.size(), 0);
  if (count && *count > 0) RAND_add(kept.data(), static_cast<int>(*count), 0);
}

void Randomness::reseed(Deadline deadline) {
  if (settings_.source.starts_with(kDaemon)) {
    auto done = read_daemon(settings_.source.substr(kDaemon.size()), deadline);
    if (!done) log::warning("cannot read from entropy source {}: {}", settings_.source, done.error().text);
    return;
  }
  if (!source_) return;
  std::string bytes(settings_.bytes, '\0');
  // From the beginning of a file, which has the same bytes each time: they count for nothing.
  auto count = sys::read_at(source_.get(), bytes.data(), bytes.size(), 0);
  if (!count)
    return log::warning("cannot read from entropy source {}: {}", settings_.source, count.error().text);
  RAND_add(bytes.data(), static_cast<int>(*count), 0);
}

Result<void> Randomness::read_daemon(const std::string& path, Deadline deadline) const {
  sys::Address address = TRY(sys::Address::from_path(path));
  io::Stream stream = TRY(io::connect(address, std::nullopt, deadline));
  stream.write(std::string{kBlockingRead, static_cast<char>(settings_.bytes)});
  TRY(stream.flush(deadline));
  std::string bytes = TRY(stream.read_exact(settings_.bytes, deadline));
  RAND_add(bytes.data(), static_cast<int>(bytes.size()), 0);
  return {};
}

void Randomness::save() {
  if (!exchange_) return;
  std::string bytes(kKept, '\0');
  if (!fill(bytes)) return;
  if (auto written = sys::write_at(exchange_.get(), bytes, 0); !written)
    log::warning("cannot update {}: {}", settings_.exchange_file, written.error().text);
}

bool Randomness::fill(std::string& bytes) {
  return RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) == 1;
}

}  // namespace postrider::tlsmgr
