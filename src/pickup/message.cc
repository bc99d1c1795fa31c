#include "pickup/message.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_text.h"
#include "log/log.h"
#include "queue/envelope.h"
#include "queue/record.h"

namespace postrider::pickup {

using queue::RecordType;

namespace {

constexpr int64_t kHour = 3600, kDay = 24 * kHour;

/// What a record reader stands at when there is no record: in the numbers of the log line.
constexpr int kEndOfFile = -1, kDamaged = -2;

/// The parts of a message, each with the types that may stand in it. The first of them begins the next part.
constexpr std::string_view kEnvelopeTypes = "MCTcFILSDRO/WVA>K";
constexpr std::string_view kContentTypes = "XLN";
constexpr std::string_view kExtractedTypes = "EDROPre/VA>KFL";

/// Attributes in the part behind the content that describe a recipient. Others tell what an earlier pass of
/// the message through cleanup decided; it decides anew.
bool belongs_to_recipient(std::string_view text) {
  auto attribute = queue::parse_attribute(text);
  return attribute &&
         (attribute->name == queue::attribute::kNotify || attribute->name == queue::attribute::kDsnOriginal);
}

class Courier {
 public:
  Courier(const Settings& settings, const Found& found, queue::File& file, clients::Submission& to)
      : settings_(settings),
        found_(found),
        reader_(file, 0, {.max_record = settings.line_length_limit}),
        to_(to),
        modified_(found.status.modified) {}

  Fate carry() {
    check_time();
    if (!settings_.content_filter.empty()) put(RecordType::filter, settings_.content_filter);
    if (auto fate = copy(kEnvelopeTypes)) return *fate;
    if (!sender_) {
      log::warning("{}: uid={}: no envelope sender", to_.queue_id(), found_.status.owner);
      return Fate::remove;
    }
    log_sender();
    put(RecordType::message, "");
    put(RecordType::text, fmt::format("Received: by {} ({}, from userid {})", settings_.myhostname,
                                      settings_.mail_name, found_.status.owner));
    put(RecordType::text, fmt::format("\tid {}; {}", to_.queue_id(), mail_date(modified_)));
    if (auto fate = copy(kContentTypes)) return *fate;
    put(RecordType::extracted, "");
    if (auto fate = copy(kExtractedTypes)) return *fate;
    put(RecordType::end, "");
    return finish();
  }

  /// Put here by "postsuper -r": what users submit can be read by all who get at it.
  static bool is_requeued(const Settings& settings, const Found& found) {
    return found.status.owner == settings.owner && (found.status.mode & 0004) == 0;
  }

 private:
  Deadline deadline() const { return Deadline::after(settings_.ipc_timeout); }

  void put(RecordType type, std::string_view data) {
    // After a failure records are dropped, and finish() says why.
    (void)to_.record(type, data, deadline());
  }

  void check_time() {
    int64_t now = time(nullptr);
    if (modified_ > now + 2 * kHour) {
      log::warning("{}: message dated {} seconds into the future", to_.queue_id(), modified_ - now);
      modified_ = now;
    } else if (modified_ < now - kDay) {
      log::warning("{}: message has been queued for {} days", to_.queue_id(), (now - modified_) / kDay);
    }
  }

  void log_sender() const {
    std::string text = fmt::format("{}: uid={} from=<{}>", to_.queue_id(), found_.status.owner,
                                   mail::log_address(*sender_, settings_.log_form));
    if (is_requeued(settings_, found_)) text += " orig_id=" + found_.id;
    log::write(log::Severity::info, text, "pickup",
               {{"queue_id", to_.queue_id()}, {"uid", found_.status.owner}, {"from", *sender_}});
    // The lines of the programs that get the message next come after this one.
    log::flush();
  }

  /// Copies records up to the one that ends this part; a fate when that cannot be.
  std::optional<Fate> copy(std::string_view types) {
    bool content = types == kContentTypes, extracted = types == kExtractedTypes, first = true;
    for (;;) {
      auto record = reader_.next();
      if (!record) {
        log::warning("{}: {}", found_.path, record.error().text);
        return damaged(kDamaged);
      }
      if (!*record) return damaged(kEndOfFile);
      RecordType type = (*record)->type;
      std::string_view data = (*record)->data;
      if (types.find(static_cast<char>(type)) == types.npos) return damaged(static_cast<int>(type));
      if (static_cast<char>(type) == types.front()) return std::nullopt;
      if (content) {
        // White space would make the first line a part of our own Received: header.
        if (first && !data.empty() && (data[0] == ' ' || data[0] == '\t')) put(RecordType::text, "");
        first = false;
      } else if (!take_envelope_record(type, data, extracted)) {
        continue;
      }
      put(type, data);
    }
  }

  /// Whether a record outside the content is passed on.
  bool take_envelope_record(RecordType type, std::string_view data, bool extracted) {
    switch (type) {
      case RecordType::arrival_time:
        time_seen_ = true;
        return true;
      case RecordType::sender:
        if (!sender_) sender_ = std::string(data);
        if (!std::exchange(time_seen_, true)) put(RecordType::arrival_time, fmt::format("{}", modified_));
        return true;
      case RecordType::filter:  // Of a message that is requeued: filters and redirection are decided anew.
      case RecordType::redirect:
        return false;
      case RecordType::return_receipt:
      case RecordType::errors_to:
        return !extracted;
      case RecordType::attribute:
        return !extracted || belongs_to_recipient(data);
      default:
        return true;
    }
  }

  Fate damaged(int type) const {
    log::warning("{}: uid={}: unexpected or malformed record type {}", found_.path, found_.status.owner,
                 type);
    return Fate::remove;
  }

  Fate finish() {
    auto status = to_.finish(deadline());
    if (!status) return give_up(proto::kProblemWrite, "");
    return status->problems == 0 ? Fate::remove : give_up(status->problems, status->reason);
  }

  Fate give_up(uint32_t problems, std::string_view reason) const {
    // What has a reason is in the log already. A message may lack recipients when it was requeued after all
    // of them had got it.
    if (reason.empty()) {
      log::warning("{}: error writing {}: {}", found_.path, to_.queue_id(),
                   proto::describe_problem(problems));
    }
    return (problems & (proto::kProblemBad | proto::kProblemRecipients)) != 0 ? Fate::remove : Fate::keep;
  }

  const Settings& settings_;
  const Found& found_;
  queue::RecordReader reader_;
  clients::Submission& to_;
  int64_t modified_;
  std::optional<std::string> sender_;
  bool time_seen_ = false;
};

/// Opens the file that the scan found, and no other that has taken its name.
Result<std::shared_ptr<queue::File>> open(const Found& found) {
  auto file = queue::system_files().open(found.path, queue::OpenMode::read);
  if (!file) {
    Error error = file.error();
    error.text = fmt::format("cannot open file: {}", std::strerror(error.code));
    return std::unexpected(std::move(error));
  }
  // A process that is about to be replaced may still be at it. When it has finished, the name is gone.
  TRY((*file)->lock_exclusive(false));
  auto status = TRY((*file)->status());
  if (status.links == 0) return std::unexpected(Error::from_errno("open", ENOENT));
  if (status.type != queue::FileType::regular) return fail(ErrorKind::invalid, "file is not a regular file");
  if (status.inode != found.status.inode || status.owner != found.status.owner) {
    return fail(ErrorKind::invalid, "file status changed unexpectedly: Operation not permitted");
  }
  if (status.links != 1) return fail(ErrorKind::invalid, fmt::format("file has {} hard links", status.links));
  return file;
}

Fate cannot_open(const Settings& settings, const Found& found, const Error& error) {
  if (error.kind == ErrorKind::temporary) return Fate::busy;
  if (queue::is_missing(error)) return Fate::keep;
  log::warning("open input file {}: {}", found.path, error.text);
  if (error.code != EACCES) return Fate::remove;
  log::warning("if this file was created by Postfix < 1.1, then you may have to chmod a+r {}/{}",
               settings.queue_directory, found.path);
  return Fate::keep;
}

}  // namespace

Fate pick_up(const Settings& settings, clients::CleanupClient& cleanup, Found found) {
  auto file = open(found);
  if (!file) return cannot_open(settings, found, file.error());
  uint32_t flags = settings.cleanup_flags;
  // Content filters that saw the message when it came first do not see it again.
  if (Courier::is_requeued(settings, found)) {
    flags &= ~uint32_t{proto::kCleanupMilter};
  } else {
    flags |= settings.autodetect_flags;
  }
  auto submission = cleanup.begin(flags, Deadline::after(settings.ipc_timeout));
  if (!submission) {
    log::warning("{}: {}", found.path, submission.error().text);
    return Fate::keep;
  }
  return Courier(settings, found, **file, *submission).carry();
}

}  // namespace postrider::pickup
