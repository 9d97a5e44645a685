#pragma once

#include "millrace/serve/change_feed_service.h"
#include "millrace/serve/ingest_service.h"
#include "millrace/serve/query_service.h"
#include "millrace/serve/replay_service.h"
#include "millrace/serve/router.h"
#include "millrace/serve/sql_service.h"
#include "millrace/serve/status_service.h"

namespace millrace::serve {

// The routes of the REST API, one source per resource. The services outlive the router.

/// POST /api/v1/streams/{stream}/records
void AddIngestRoutes(Router& router, IngestService& service);
/// POST /api/v1/streams/{stream}/replay
void AddReplayRoutes(Router& router, ReplayService& service);
/// GET /api/v1/streams, /api/v1/streams/{stream}, /api/v1/streams/{stream}/records
void AddStreamRoutes(Router& router, QueryService& service);
/// GET /api/v1/views, /api/v1/views/{view}
void AddViewRoutes(Router& router, QueryService& service);
/// POST /api/v1/query
void AddQueryRoutes(Router& router, SqlService& service);
/// GET /api/v1/streams/{stream}/changes, /api/v1/views/{view}/changes
void AddChangeRoutes(Router& router, ChangeFeedService& service);
/// GET /livez, /readyz, /metrics, /api/v1/health, /api/v1/metrics
void AddStatusRoutes(Router& router, StatusService& service);

}  // namespace millrace::serve
