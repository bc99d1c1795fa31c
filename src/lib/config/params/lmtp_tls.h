// Handles of the parameters in lmtp_tls.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP lmtp_tls
#define PARAM_FILE "config/params/lmtp_tls.def"
#include "config/params/declare.inc"
