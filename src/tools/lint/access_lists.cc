#include "tools/lint/access_lists.h"

#include "base/text.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

std::vector<std::string> list_parameters(const Model& model, const Service* service) {
  std::vector<std::string> out = {"smtpd_client_restrictions",      "smtpd_helo_restrictions",
                                  "smtpd_sender_restrictions",      "smtpd_relay_restrictions",
                                  "smtpd_recipient_restrictions",   "smtpd_data_restrictions",
                                  "smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions"};
  std::string classes = model.value("smtpd_restriction_classes", service);
  for (std::string_view name : split_any(classes, kListSeparators))
    out.emplace_back(name);
  return out;
}

AccessLists::AccessLists(const Model& model, const Service* service)
    : config_(service ? service->config : model.config()),
      catalog_(offline_options(config_, {})),
      reader_(catalog_, config_, paths_) {
  reader_.configuration_is_complete();
}

}  // namespace postrider::lint
