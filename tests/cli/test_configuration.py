"""millrace.yaml, the environment, flags, and what is said about mistakes in them."""

import unittest

from running import CLICKS, ProjectTest, Server, clean_environment, run


class ConfigPrintTest(ProjectTest):
    def values(self, *arguments, **options):
        result = run("config", "print", *arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return {line.split()[0]: line for line in result.stdout.splitlines()}

    def test_says_where_each_value_comes_from(self):
        project = self.project(configuration="http:\n  listen: 127.0.0.1:1\n  threads: 3\n"
                                             "logging: {level: debug}\n")
        values = self.values(project, "--set", "logging.format=json",
                             environment=clean_environment(MILLRACE__HTTP__LISTEN="127.0.0.1:2"))
        self.assertRegex(values["http.listen"],
                         r"127\.0\.0\.1:2 +environment MILLRACE__HTTP__LISTEN$")
        self.assertRegex(values["http.threads"], r" 3 +.*/p/millrace\.yaml:3:3$")
        self.assertRegex(values["logging.level"], r"debug +.*millrace\.yaml:4:11$")
        self.assertRegex(values["logging.format"], r"json +flag --set logging\.format$")
        self.assertRegex(values["engine.workers"], r" 0 +default$")
        self.assertIn("/p/data", values["data_dir"])

    def test_shows_what_only_kafka_uses_as_unused(self):
        project = self.project(configuration="processing:\n  application_id: shop\n")
        values = self.values(project)
        self.assertIn("unused without transport: kafka", values["processing.application_id"])
        self.assertNotIn("unused", values["processing.window_size"])

    def test_shows_no_hash(self):
        digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        project = self.project(configuration=f"auth:\n  tokens: [ops admin {digest}]\n")
        values = self.values(project)
        self.assertIn("ops admin ......", values["auth.tokens"])
        self.assertNotIn(digest, values["auth.tokens"])

    def test_config_path_names_the_file_when_no_directory_is_given(self):
        project = self.project()
        (self.root / "m.yaml").write_text("project_dir: p\nengine: {workers: 5}\n")
        environment = clean_environment(CONFIG_PATH=str(self.root / "m.yaml"))
        values = self.values(environment=environment)
        self.assertIn(str(project), values["project_dir"])
        self.assertRegex(values["engine.workers"], r" 5 +.*m\.yaml:2:10$")
        self.assertRegex(self.values(project, environment=environment)["engine.workers"],
                         r" 0 +default$")
        self.assertEqual(run("check", environment=environment).returncode, 0)


class CheckTest(ProjectTest):
    def test_reports_all_errors_of_configuration_and_sql(self):
        project = self.project(
            configuration="http:\n  lisen: 127.0.0.1:1\nengine: {workers: many}\n",
            sql=CLICKS + "CREATE TABLE t (a text) WITH (conector = 'http');\n"
                         "CREATE MATERIALIZED VIEW v AS SELECT b FROM clicks;\n")
        result = run("check", project)
        self.assertEqual(result.returncode, 1)
        lines = [line.removeprefix(str(project) + "/") for line in result.stderr.splitlines()]
        self.assertEqual(lines, [
            "millrace.yaml:2:3: MR1002: unknown option 'http.lisen' (did you mean 'http.listen'?)",
            "millrace.yaml:3:10: MR1003: engine.workers: expected a whole number, got 'many'",
            "clicks.sql:6:31: MR1002: unknown option 'conector' (did you mean 'connector'?)",
            "clicks.sql:7:38: MR2005: column does not exist: b",
        ])

    def test_refuses_kafka_by_name(self):
        result = run("check", self.project(configuration="transport: kafka\n"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("millrace.yaml:1:1: MR9002", result.stderr)

    def test_refuses_to_be_reachable_without_tokens(self):
        project = self.project(configuration="http: {listen: '0.0.0.0:0'}\n")
        for command in ("check", "run"):
            result = run(command, project)
            self.assertEqual(result.returncode, 1)
            self.assertIn("MR1006", result.stderr)
            self.assertIn("millrace token", result.stderr)

    def test_reports_broken_yaml_and_missing_projects(self):
        self.assertIn("p/millrace.yaml:3:", run("check", self.project(
            configuration="http:\n  listen: [\n")).stderr)
        missing = run("check", self.root / "none")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("MR1005", missing.stderr)
        named = run("check", environment=clean_environment(CONFIG_PATH=str(self.root / "no.yaml")))
        self.assertEqual(named.returncode, 1)
        self.assertIn("MR1005", named.stderr)

    def test_takes_default_window_and_grace(self):
        sql = ("CREATE TABLE t (at timestamptz) WITH (event_time = 'at');\n"
               "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n\n"
               "FROM tumble(t, at) GROUP BY window_start;\n")
        refused = run("check", self.project("a", sql=sql))
        self.assertIn("a/clicks.sql:3:6: MR2012", refused.stderr)
        self.assertIn("processing.window_size", refused.stderr)
        accepted = run("check", self.project(
            "b", sql=sql, configuration="processing: {window_size: 1 hour, grace_period: 5 s}\n"))
        self.assertEqual(accepted.returncode, 0, accepted.stderr)

    def test_window_and_grace_of_the_configuration_are_used(self):
        sql = ("CREATE TABLE t (at timestamptz) WITH (event_time = 'at', partitions = 1);\n"
               "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n\n"
               "FROM tumble(t, at) GROUP BY window_start;\n")
        project = self.project(
            sql=sql, configuration="processing: {window_size: 2 minutes, grace_period: 1 minute}\n")
        with Server(project, "--listen", "127.0.0.1:0") as server:
            times = ("00:00:10", "00:01:50", "00:02:59", "00:00:20", "00:03:00", "00:00:30")
            for time in times:  # One by one: lateness goes by what came before.
                _, answer = server.post("t", {"at": f"2026-01-01T{time}Z"})
            _, view = server.request(f"/api/v1/views/v?order=window_start&wait_for="
                                     f"{answer['position']}")
            # The last one comes when the first window's end and grace are reached.
            self.assertEqual(view["rows"], [
                {"window_start": "2026-01-01T00:00:00Z", "n": 3},
                {"window_start": "2026-01-01T00:02:00Z", "n": 2}])
            _, late = server.request("/api/v1/streams/late$v/records")
            self.assertEqual(len(late["records"]), 1)


class UsageTest(ProjectTest):
    def test_exit_statuses(self):
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("fly").returncode, 2)
        self.assertEqual(run("run", "--set", "novalue").returncode, 2)
        self.assertEqual(run("--version").returncode, 0)
        self.assertRegex(run("version").stdout, r"^millrace \d+\.\d+\.\d+\n$")

    def test_every_command_has_help_with_an_example(self):
        for command in ("init", "run", "check", "tail", "streams", "views", "bench", "token",
                        "config print"):
            result = run(*command.split(), "--help")
            self.assertEqual(result.returncode, 0)
            self.assertIn("Example", result.stdout)
            self.assertIn(f"millrace {command}", result.stdout)


if __name__ == "__main__":
    unittest.main()
