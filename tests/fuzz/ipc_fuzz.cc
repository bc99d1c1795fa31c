// Frames from a hostile peer: every message type must decode or fail, whatever the bytes.
#include <cstdint>
#include <string_view>

#include "ipc/codec.h"
#include "proto/bounce.h"
#include "proto/cleanup.h"
#include "proto/delivery.h"
#include "proto/flush.h"
#include "proto/proxymap.h"
#include "proto/qmgr.h"
#include "proto/reindex.h"
#include "proto/rewrite.h"
#include "proto/showq.h"
#include "proto/tlsmgr.h"
#include "proto/tlsproxy.h"

namespace postrider {
namespace {

/// What decodes must encode to the same bytes again.
template <typename M>
void try_message(std::string_view bytes) {
  auto message = ipc::decode<M>(bytes);
  if (!message) return;
  std::string again;
  ipc::Encoder encoder(again);
  message->fields(encoder);
  if (encoder.too_long() || !ipc::decode<M>(again)) __builtin_trap();
}

}  // namespace
}  // namespace postrider

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace postrider;
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 16) {
    case 0:
      try_message<proto::DeliverRequest>(bytes);
      break;
    case 1:
      try_message<proto::DeliverReply>(bytes);
      break;
    case 2:
      try_message<proto::ResolveReply>(bytes);
      break;
    case 3:
      try_message<proto::RewriteRequest>(bytes);
      break;
    case 4:
      try_message<proto::BounceOne>(bytes);
      break;
    case 5:
      try_message<proto::QueueEntry>(bytes);
      break;
    case 6:
      try_message<proto::ProxyFound>(bytes);
      break;
    case 7:
      try_message<proto::ProxyUpdate>(bytes);
      break;
    case 8:
      try_message<proto::ProxySequence>(bytes);
      break;
    case 9:
      try_message<proto::FlushAdd>(bytes);
      break;
    case 10:
      try_message<proto::TlsSession>(bytes);
      break;
    case 11:
      try_message<proto::TlsSessionReply>(bytes);
      break;
    case 12:
      try_message<proto::TlsTicketKeysReply>(bytes);
      break;
    case 14:
      try_message<proto::TlsProxyRequest>(bytes);
      break;
    case 13:
      try_message<proto::Reindex>(bytes);
      break;
    default:
      try_message<proto::CleanupStatus>(bytes);
  }
  return 0;
}
