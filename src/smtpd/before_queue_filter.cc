#include "smtpd/before_queue_filter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "config/params/cleanup.h"
#include "config/params/smtpd.h"
#include "log/log.h"
#include "queue/spill_file.h"
#include "smtp/content.h"
#include "smtpd/filter_dialogue.h"

namespace postrider::smtpd {

namespace params = config::params;
using queue::RecordType;

namespace {

constexpr size_t kPiece = 16 * 1024;

/// Content in the form that the filter gets it in: lines with their ends, dots doubled.
class ContentPieces {
 public:
  /// The bytes that are to go now; empty while there are too few for that.
  std::string add(RecordType type, std::string_view data) {
    encoder_.add(data, type == RecordType::text, bytes_);
    return bytes_.size() < kPiece ? std::string() : std::exchange(bytes_, {});
  }
  std::string rest() {
    encoder_.finish(bytes_);
    return std::exchange(bytes_, {});
  }

 private:
  smtp::ContentEncoder encoder_{0};
  std::string bytes_;
};

bool is_content(RecordType type) {
  return type == RecordType::text || type == RecordType::text_part;
}

/// The client's commands are the filter's, one by one.
class LiveFilter : public FilterSink {
 public:
  explicit LiveFilter(FilterDialogue dialogue) : dialogue_(std::move(dialogue)) {}

  std::optional<FilterRefusal> recipient(std::string_view command) override {
    return dialogue_.command(command, 2);
  }
  std::optional<FilterRefusal> begin_content() override { return dialogue_.command("DATA", 3); }
  Result<void> record(RecordType type, std::string_view data, Deadline) override {
    if (!is_content(type)) return {};
    if (std::string bytes = pieces_.add(type, data); !bytes.empty()) dialogue_.content(bytes);
    return {};
  }
  Result<proto::CleanupStatus> finish(Deadline) override {
    dialogue_.content(pieces_.rest());
    answer_ = dialogue_.end();
    return proto::CleanupStatus();
  }
  const FilterRefusal& answer() const override { return answer_; }

 private:
  FilterDialogue dialogue_;
  ContentPieces pieces_;
  FilterRefusal answer_;
};

/// The client's commands are kept until there is a whole message (smtpd_proxy_options = speed_adjust).
class PatientFilter : public FilterSink {
 public:
  PatientFilter(const FilterSettings& settings, const smtp::ClientFacts& client, std::string mail)
      : settings_(settings), mail_(std::move(mail)) {
    std::ranges::copy(client, client_.begin());
  }

  std::optional<FilterRefusal> recipient(std::string_view command) override {
    recipients_.emplace_back(command);
    return std::nullopt;
  }
  std::optional<FilterRefusal> begin_content() override {
    auto file = queue::SpillFile::make();
    if (!file) {
      log::warning("{}", file.error().text);
      return filter_failed(access::ErrorClass::resource);
    }
    file_ = std::move(*file);
    pieces_ = {};
    return std::nullopt;
  }
  Result<void> record(RecordType type, std::string_view data, Deadline deadline) override {
    if (!is_content(type)) return {};
    std::string bytes = pieces_.add(type, data);
    return bytes.empty() ? Result<void>() : file_->append(std::move(bytes), deadline);
  }
  Result<proto::CleanupStatus> finish(Deadline deadline) override {
    TRY(file_->append(pieces_.rest(), deadline));
    if (auto refusal = replay(deadline)) answer_ = std::move(*refusal);
    return proto::CleanupStatus();
  }
  const FilterRefusal& answer() const override { return answer_; }

 private:
  /// What stands in the way of an answer to the content, which is an answer, too.
  std::optional<FilterRefusal> replay(Deadline deadline) {
    smtp::ClientFacts client;
    std::ranges::copy(client_, client.begin());
    auto dialogue = FilterDialogue::open(settings_, client);
    if (!dialogue) return std::move(dialogue.error());
    if (auto refusal = dialogue->command(mail_, 2)) return refusal;
    for (const std::string& recipient : recipients_) {
      if (auto refusal = dialogue->command(recipient, 2)) return refusal;
    }
    if (auto refusal = dialogue->command("DATA", 3)) return refusal;
    for (;;) {
      auto bytes = file_->next(deadline);
      if (!bytes) {
        log::warning("{}", bytes.error().text);
        return filter_failed(access::ErrorClass::resource);
      }
      if (bytes->empty()) break;
      dialogue->content(*bytes);
    }
    answer_ = dialogue->end();
    return std::nullopt;
  }

  const FilterSettings& settings_;
  std::array<std::string, smtp::kXforwardAttributes> client_;  // The session forgets them sooner.
  std::string mail_;
  std::vector<std::string> recipients_;
  std::optional<queue::SpillFile> file_;
  ContentPieces pieces_;
  FilterRefusal answer_;
};

}  // namespace

FilterSettings::FilterSettings(const config::Config& c)
    : endpoint(c.get(params::smtpd_proxy_filter)),
      helo_name(c.get(params::smtpd_proxy_ehlo)),
      timeout(c.get(params::smtpd_proxy_timeout)),
      line_length_limit(static_cast<size_t>(c.get(params::line_length_limit))) {
  std::string options = c.get(params::smtpd_proxy_options);
  for (std::string_view word : split_any(options, kListSeparators)) {
    if (!equals_ignore_case(word, "speed_adjust")) {
      throw config::ConfigError("unknown smtpd_proxy_options value \"" + std::string(word) + "\"",
                                c.source(params::smtpd_proxy_options.name()),
                                "the only option is speed_adjust");
    }
    speed_adjust = true;
  }
}

std::expected<std::unique_ptr<FilterSink>, FilterRefusal> begin_filtering(const FilterSettings& settings,
                                                                          const smtp::ClientFacts& client,
                                                                          std::string mail) {
  if (settings.speed_adjust) return std::make_unique<PatientFilter>(settings, client, std::move(mail));
  auto dialogue = FilterDialogue::open(settings, client);
  if (!dialogue) return std::unexpected(std::move(dialogue.error()));
  if (auto refusal = dialogue->command(mail, 2)) return std::unexpected(std::move(*refusal));
  return std::make_unique<LiveFilter>(std::move(*dialogue));
}

}  // namespace postrider::smtpd
