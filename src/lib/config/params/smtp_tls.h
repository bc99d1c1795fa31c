// Handles of the parameters in smtp_tls.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP smtp_tls
#define PARAM_FILE "config/params/smtp_tls.def"
#include "config/params/declare.inc"
