// Texts with %s, %u, %d and their relatives: queries and results of database tables.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postrider::table {

/// A query ("... WHERE name = '%s'") or a result format ("%s@%d"). In a query the codes stand for parts of
/// the lookup key; in a result format %s, %u and %d stand for parts of a result, the others for parts of the
/// key.
///
///   %s %S  the whole      %u %U  what is before the last "@"      %d %D  what is behind it
///   %1 ... %9  a component of the key's domain, %1 the last one
class KeyTemplate {
 public:
  enum class Kind : unsigned char { query, result };

  /// `name` is the table's, for the error.
  static Result<KeyTemplate> parse(std::string_view name, std::string_view text, Kind kind);

  /// How a part is written into a text of some grammar; nothing: as it is.
  using Quote = std::function<std::string(std::string_view)>;

  /// A query with the key filled in; nothing when the key lacks a part that the query asks for.
  std::optional<std::string> query(std::string_view key, const Quote& quote) const;
  /// A result in its format; nothing when value or key lack a part. Neither is empty.
  std::optional<std::string> result(std::string_view value, std::string_view key) const;

  /// Whether the text refers to the key at all.
  bool is_dynamic() const { return dynamic_; }
  const std::string& text() const { return text_; }

 private:
  struct Piece {
    char code = 0;  ///< 's', 'u', 'd', 'S', 'U', 'D', '1' to '9'; 0: `text`.
    std::string text;
  };
  struct Parts;
  /// The parts of the text that a code stands for.
  std::string_view part(char code, const Parts& parts) const;
  /// False when the key lacks what the text asks for.
  bool add_components(Parts& parts) const;
  std::optional<std::string> fill(const Parts& parts, const Quote& quote) const;

  Kind kind_ = Kind::query;
  std::string text_;
  std::vector<Piece> pieces_;
  bool dynamic_ = false;
  // What a key or a value must have.
  bool key_user_ = false, key_domain_ = false, value_user_ = false, value_domain_ = false;
  size_t components_ = 0;
};

}  // namespace postrider::table
