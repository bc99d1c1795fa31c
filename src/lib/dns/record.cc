#include "dns/record.h"

#include <span>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "log/log.h"

namespace postrider::dns {

namespace {

struct TypeName {
  Type type;
  std::string_view name;
};
constexpr TypeName kTypes[] = {
    {Type::a, "A"},   {Type::ns, "NS"},   {Type::cname, "CNAME"}, {Type::soa, "SOA"}, {Type::ptr, "PTR"},
    {Type::mx, "MX"}, {Type::txt, "TXT"}, {Type::aaaa, "AAAA"},   {Type::srv, "SRV"}, {Type::tlsa, "TLSA"},
};

std::string value_text(const Record& record) {
  switch (record.type) {
    case Type::a:
    case Type::aaaa: {
      auto address = record.address();
      return address ? address->ip() : "";
    }
    case Type::mx:
      return fmt::format("{} {}.", record.preference, record.data);
    case Type::srv:
      return fmt::format("{} {} {} {}.", record.preference, record.weight, record.port, record.data);
    case Type::tlsa:
      return fmt::format("{} {} {} {}", static_cast<unsigned char>(record.data.at(0)),
                         static_cast<unsigned char>(record.data.at(1)),
                         static_cast<unsigned char>(record.data.at(2)),
                         uppercase(hex(std::string_view(record.data).substr(3))));
    case Type::ptr:
    case Type::ns:
    case Type::cname:
    case Type::soa:
      return record.data + ".";
    case Type::txt:
      return record.data;
  }
  return {};
}

}  // namespace

std::string type_name(Type type) {
  for (const TypeName& known : kTypes) {
    if (known.type == type) return std::string(known.name);
  }
  return fmt::format("Type {}", static_cast<unsigned>(type));
}

std::optional<Type> parse_type(std::string_view name) {
  for (const TypeName& known : kTypes) {
    if (equals_ignore_case(known.name, name)) return known.type;
  }
  return std::nullopt;
}

std::optional<sys::Address> Record::address() const {
  bool fits = (type == Type::a && data.size() == 4) || (type == Type::aaaa && data.size() == 16);
  if (!fits) return std::nullopt;
  return sys::Address::from_bytes(std::span(reinterpret_cast<const uint8_t*>(data.data()), data.size()));
}

std::string Record::text() const {
  return fmt::format("{}. {} IN {} {}", owner, ttl, type_name(type), value_text(*this));
}

void append_records(std::vector<Record>& list, std::vector<Record> more) {
  for (Record& record : more) {
    if (list.size() == kMaxRecords) {
      log::warning("{}", too_many_records(list.back()));
      return;
    }
    list.push_back(std::move(record));
  }
}

std::string too_many_records(const Record& last) {
  return fmt::format(
      "DNS record count limit ({}) exceeded -- dropping excess record(s) after qname={} qtype={}",
      kMaxRecords, last.owner, type_name(last.type));
}

}  // namespace postrider::dns
