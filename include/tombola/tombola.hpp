#pragma once

// Everything that needs no backend, no file and no data: masks and scores, what is computed from
// them, and the pruners. Another floor's headers are included by name.

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/sets.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/algebra/unit_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/core/random.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/core/trace.hpp"
#include "tombola/prune/criteria.hpp"
#include "tombola/prune/guard.hpp"
#include "tombola/prune/key_selection.hpp"
#include "tombola/prune/objective.hpp"
#include "tombola/prune/schedule.hpp"
#include "tombola/prune/select.hpp"
#include "tombola/prune/weights.hpp"
