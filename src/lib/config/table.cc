#include "config/table.h"

#include <algorithm>

#include "config/params/bounce.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/lmtp.h"
#include "config/params/lmtp_tls.h"
#include "config/params/local.h"
#include "config/params/milter.h"
#include "config/params/postscreen.h"
#include "config/params/qmgr.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/smtp.h"
#include "config/params/smtp_tls.h"
#include "config/params/smtpd.h"
#include "config/params/smtpd_access.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "config/params/tls.h"
#include "config/params/tlsproxy.h"
#include "config/params/tools.h"
#include "config/params/verify.h"
#include "config/params/virtual.h"
#include "config/paths.h"

namespace postrider::config {

namespace {

/// Identifiers do not begin with a digit; the rows of such names begin with '_' instead.
constexpr std::string_view row_name(std::string_view identifier) {
  if (identifier.starts_with('_')) identifier.remove_prefix(1);
  return identifier;
}

}  // namespace

#define PARAM_FILE "config/params/instance.def"
constinit const ParamInfo instance_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/system.def"
constinit const ParamInfo system_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/rewrite.def"
constinit const ParamInfo rewrite_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/smtpd.def"
constinit const ParamInfo smtpd_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/smtpd_access.def"
constinit const ParamInfo smtpd_access_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/smtpd_tls.def"
constinit const ParamInfo smtpd_tls_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/postscreen.def"
constinit const ParamInfo postscreen_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/tlsproxy.def"
constinit const ParamInfo tlsproxy_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/tls.def"
constinit const ParamInfo tls_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/smtp.def"
constinit const ParamInfo smtp_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/smtp_tls.def"
constinit const ParamInfo smtp_tls_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/lmtp.def"
constinit const ParamInfo lmtp_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/lmtp_tls.def"
constinit const ParamInfo lmtp_tls_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/cleanup.def"
constinit const ParamInfo cleanup_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/milter.def"
constinit const ParamInfo milter_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/qmgr.def"
constinit const ParamInfo qmgr_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/local.def"
constinit const ParamInfo local_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/virtual.def"
constinit const ParamInfo virtual_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/bounce.def"
constinit const ParamInfo bounce_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/verify.def"
constinit const ParamInfo verify_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/services.def"
constinit const ParamInfo services_table[] = {
#include "config/params/rows.inc"
};

#define PARAM_FILE "config/params/tools.def"
constinit const ParamInfo tools_table[] = {
#include "config/params/rows.inc"
};

namespace {

constexpr ParamGroup kGroups[] = {
    {"instance", instance_table},
    {"system", system_table},
    {"rewrite", rewrite_table},
    {"smtpd", smtpd_table},
    {"smtpd_access", smtpd_access_table},
    {"smtpd_tls", smtpd_tls_table},
    {"postscreen", postscreen_table},
    {"tlsproxy", tlsproxy_table},
    {"tls", tls_table},
    {"smtp", smtp_table},
    {"smtp_tls", smtp_tls_table},
    {"lmtp", lmtp_table},
    {"lmtp_tls", lmtp_tls_table},
    {"cleanup", cleanup_table},
    {"milter", milter_table},
    {"qmgr", qmgr_table},
    {"local", local_table},
    {"virtual", virtual_table},
    {"bounce", bounce_table},
    {"verify", verify_table},
    {"services", services_table},
    {"tools", tools_table},
};

}  // namespace

std::span<const ParamGroup> param_groups() {
  return kGroups;
}

const std::vector<const ParamInfo*>& all_params() {
  static const std::vector<const ParamInfo*> sorted = [] {
    std::vector<const ParamInfo*> rows;
    for (const ParamGroup& group : kGroups)
      for (const ParamInfo& row : group.rows)
        rows.push_back(&row);
    std::ranges::sort(rows, {}, &ParamInfo::name);
    return rows;
  }();
  return sorted;
}

const ParamInfo* find_param(std::string_view name) {
  const auto& rows = all_params();
  auto found = std::ranges::lower_bound(rows, name, {}, &ParamInfo::name);
  return found != rows.end() && (*found)->name == name ? *found : nullptr;
}

}  // namespace postrider::config
