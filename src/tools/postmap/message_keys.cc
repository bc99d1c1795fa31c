#include "tools/postmap/message_keys.h"

#include "mail/mime.h"

namespace postrider::postmap {

namespace {

class KeySink : public mail::MimeSink {
 public:
  KeySink(const Options& options, const std::function<Result<void>(std::string_view)>& ask)
      : options_(options), ask_(ask) {}

  void header(mail::HeaderClass, const mail::HeaderInfo*, std::string_view text) override {
    if (options_.header_keys) key(text);
  }
  void header_end() override {}
  void body(std::string_view text, mail::LineEnd, size_t) override {
    if (options_.body_keys) key(text);
  }

  const Result<void>& outcome() const { return outcome_; }

 private:
  void key(std::string_view text) {
    if (outcome_) outcome_ = ask_(text);
  }

  const Options& options_;
  const std::function<Result<void>(std::string_view)>& ask_;
  Result<void> outcome_;
};

}  // namespace

Result<void> for_each_message_key(const Options& options, Input& input,
                                  const std::function<Result<void>(std::string_view)>& ask) {
  KeySink sink(options, ask);
  mail::MimeOptions mime;
  mime.parse_mime = options.parse_mime;
  mail::MimeParser parser(mime, sink);
  while (sink.outcome()) {
    auto line = TRY(input.line());
    if (!line) break;
    parser.line(*line);
  }
  if (sink.outcome()) parser.finish();
  return sink.outcome();
}

}  // namespace postrider::postmap
