// A look at a server.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "io/stream.h"
#include "smtp/ehlo.h"
#include "tls/client.h"
#include "tools/posttls-finger/dialogue.h"
#include "tools/posttls-finger/options.h"
#include "tools/posttls-finger/sessions.h"
#include "tools/posttls-finger/target.h"

namespace postrider::posttls_finger {

/// Keys and certificates; made before the program changes its directory.
class Engine {
 public:
  Engine(const config::Config& config, const Options& options);
  /// Null: TLS cannot be had. `again`: for connections after the first one.
  const tls::Client* client(bool again);
  const EVP_MD* digest() const { return digest_; }
  const tls::DaneDigests& digests() const { return digests_; }

 private:
  tls::ClientSettings settings_;
  tls::LibrarySettings library_;
  const EVP_MD* digest_;
  tls::DaneDigests digests_;
  std::unique_ptr<tls::Client> first_, again_;
};

class Finger {
 public:
  Finger(const config::Config& config, const Options& options, Engine& engine);
  /// All that there is to see, in the log.
  void run(const smtp::Destination& destination);

 private:
  void run_again(const Target& target, const tls::Demands& demands);
  Result<io::Stream> connect(const Target& target);
  void probe(io::Stream stream, const Target& target, tls::Demands demands, bool again);
  bool greet(Dialogue& dialogue);
  bool say_hello(Dialogue& dialogue);
  bool start_tls(Dialogue& dialogue);
  bool secure(Dialogue& dialogue, const Target& target, const tls::Demands& demands, bool again);
  bool secure_by_proxy(Dialogue& dialogue, const Target& target, const tls::Demands& demands);
  void quit(Dialogue& dialogue);

  const config::Config& config_;
  const Options& options_;
  Engine& engine_;
  Finder finder_;
  std::string own_name_;
  size_t line_limit_;
  MemorySessions sessions_;
  smtp::Capabilities capabilities_;
  tls::Session* session_ = nullptr;  ///< Of the dialogue that is going on.
  std::string chain_;
};

}  // namespace postrider::posttls_finger
