// How a client's context is made; shared by the sources of tls::Client.
#pragma once

#include <string>

#include "tls/client.h"

namespace postrider::tls {

struct Client::State {
  State(const ClientSettings& s, const LibrarySettings& l)
      : settings(s), library(l), digests(s.dane_digests) {}

  ClientSettings settings;
  LibrarySettings library;
  DaneDigests digests;
  Context context;
  const EVP_MD* digest = nullptr;
  bool resumes = false;  ///< Sessions are kept.

  /// An error: TLS cannot be had. The text says so, or is empty where all has been logged.
  Result<void> set_up();

 private:
  void keep_sessions();
};

/// Prepares one connection for what it has to be like. False: that is impossible, and logged.
bool prepare(SSL* connection, const Client::State& client, const std::string& server, const Demands& demands);

}  // namespace postrider::tls
