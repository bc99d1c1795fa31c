#include "clients/dns_filter.h"

#include <utility>

namespace postrider::clients {

namespace {

class RecordTable : public dns::ReplyFilter {
 public:
  explicit RecordTable(table::Maps maps) : maps_(std::move(maps)) {}
  std::string_view name() const override { return maps_.parameter(); }
  Result<std::optional<std::string>> action(std::string_view record, Deadline deadline) override {
    auto found = TRY(maps_.find(record, table::Where::all, deadline));
    if (!found) return std::nullopt;
    return std::move(found->value);
  }

 private:
  table::Maps maps_;
};

}  // namespace

std::shared_ptr<dns::ReplyFilter> dns_filter(table::Maps maps) {
  return maps.empty() ? nullptr : std::make_shared<RecordTable>(std::move(maps));
}

}  // namespace postrider::clients
