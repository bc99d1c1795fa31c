// Randomness from outside, and what is kept of it over restarts: tls_random_source and its kin.
//
// OpenSSL seeds itself from the kernel. What comes from here is added to that, and can only make it better.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "sys/fd.h"

namespace postrider::tlsmgr {

struct RandomSettings {
  explicit RandomSettings(const config::Config& config);

  std::string source;         ///< "dev:/path", "egd:/path" or "/path"
  size_t bytes;               ///< Read at a time.
  std::string exchange_file;  ///< Empty: nothing is kept.
  seconds reseed_period, save_period;
};

class Randomness {
 public:
  explicit Randomness(const RandomSettings& settings) : settings_(settings) {}

  /// Opens source and exchange file, as the user that will use them, and takes in what the file has kept.
  /// What cannot be opened is warned of.
  void open();
  /// Takes in some bytes of the source.
  void reseed(Deadline deadline);
  /// Writes new bytes to the exchange file.
  void save();
  /// Bytes for others; false when there are none.
  static bool fill(std::string& bytes);

 private:
  Result<void> read_daemon(const std::string& path, Deadline deadline) const;

  const RandomSettings& settings_;
  sys::Fd source_, exchange_;
};

}  // namespace postrider::tlsmgr
