-- The server that the shop runs on: what was installed there, from its dpkg log, rotated files too.
-- A line: 2026-01-01 00:00:01 install curl:amd64 <none> 7.88.1-10+deb12u8
--     or: 2026-01-01 00:00:01 status installed curl:amd64 7.88.1-10+deb12u8
CREATE TABLE dpkg (
  at          timestamptz NOT NULL,
  action      text,            -- install, upgrade, configure, remove, ...
  status      text,            -- instead of an action: what became of a package
  package     text NOT NULL,
  old_version text,
  version     text
) WITH (
  connector = 'file', path = '/var/log/dpkg.log*', mode = 'follow', format = 'regex',
  pattern = '(?<at>\S+ \S+) (?:status (?<status>\S+)|(?<action>\S+)) (?<package>\S+)(?: (?<old_version>\S+))?(?: (?<version>\S+))?',
  time_zone = 'local', event_time = 'at',
  watermark_delay = '2 hours'  -- The local clock goes back an hour once a year.
);

CREATE MATERIALIZED VIEW installed_per_hour AS
SELECT window_start AS hour, count(*) AS packages
FROM tumble(dpkg, at, interval '1 hour')
WHERE action = 'install'
GROUP BY window_start;

-- `?order=-upgrades&limit=10` asks for the most frequent.
CREATE MATERIALIZED VIEW upgrades AS
SELECT package, count(*) AS upgrades, max(at) AS last_upgrade
FROM dpkg
WHERE action = 'upgrade'
GROUP BY package;

CREATE MATERIALIZED VIEW first_and_last_action AS
SELECT min(at) AS first_action, max(at) AS last_action, count(*) AS actions
FROM dpkg
WHERE action IS NOT NULL;
