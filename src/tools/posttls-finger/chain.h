// The certificates of a server, for people and programs.
#pragma once

#include <string>

#include "tls/session.h"

namespace postrider::posttls_finger {

/// Those that the server has sent, with names, fingerprints and PEM text. Empty: there are none.
std::string chain_text(const tls::Session& session, const EVP_MD* digest);

}  // namespace postrider::posttls_finger
