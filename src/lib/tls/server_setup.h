// How a server's context is made; shared by the sources of tls::Server.
#pragma once

#include <string>

#include "tls/server.h"

namespace postrider::tls {

struct Server::State {
  State(const ServerSettings& s, const LibrarySettings& l, bool m) : settings(s), library(l), mandatory(m) {}

  ServerSettings settings;
  LibrarySettings library;
  bool mandatory;  ///< Nobody is served without TLS.
  Context context;
  const EVP_MD* digest = nullptr;
  bool asks_certificate = false, requires_certificate = false;
  bool has_tickets = false;
  std::string cipher_list;
  std::string cipher_problem;  ///< 'invalid cipher grade: "x"': no session can be made.

  /// An error: TLS cannot be had. The text says so, or is empty where all has been logged.
  Result<void> set_up();

 private:
  Result<void> load_certificates();
  Result<void> set_up_authorities();
  void load_dh();
  void choose_ciphers();
  void keep_sessions();
};

}  // namespace postrider::tls
