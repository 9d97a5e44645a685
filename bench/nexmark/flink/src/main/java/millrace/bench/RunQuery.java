package millrace.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.bridge.java.StreamStatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

/**
 * Runs one query on a Flink cluster inside this process, and prints what it cost as a line of JSON:
 * RunQuery [-DKEY=VALUE]... [--table SQL]... --query SQL [--rows DIR].
 *
 * <p>Every -D sets an option of Flink. The SQL of each --table is executed first, in turn. What the
 * query selects goes to a blackhole. With --rows a job before that, whose cost is not told, writes
 * it to files of JSON lines in the new folder DIR, and leaves the code compiled for the next one.
 */
public final class RunQuery {
  private static final double NANOS_PER_SECOND = 1e9;

  private final Configuration settings = new Configuration();
  private final List<String> tables = new ArrayList<>();
  private String query;
  private String rows;

  private record Cost(double seconds, double cpuSeconds, long checkpoints) {}

  private RunQuery(String[] arguments) {
    for (int i = 0; i < arguments.length; ++i) {
      if (arguments[i].startsWith("-D")) {
        final String[] setting = arguments[i].substring(2).split("=", 2);
        settings.setString(setting[0], setting[1]);
        continue;
      }
      final String flag = arguments[i++];
      switch (flag) {
        case "--table" -> tables.add(arguments[i]);
        case "--query" -> query = arguments[i];
        case "--rows" -> rows = arguments[i];
        default -> throw new IllegalArgumentException("there is no option " + flag);
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    new RunQuery(arguments).run();
  }

  private void run() throws Exception {
    final MiniClusterConfiguration configuration =
        new MiniClusterConfiguration.Builder()
            .setConfiguration(settings)
            .setNumTaskManagers(1)
            .setNumSlotsPerTaskManager(settings.get(CoreOptions.DEFAULT_PARALLELISM))
            .withRandomPorts()
            .build();
    try (MiniCluster cluster = new MiniCluster(configuration)) {
      cluster.start();
      if (rows != null) {
        execute(
            cluster,
            TableDescriptor.forConnector("filesystem").option("path", rows).format("json").build());
      }
      final Cost cost = execute(cluster, TableDescriptor.forConnector("blackhole").build());
      System.out.printf(
          Locale.ROOT,
          "{\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"checkpoints\":%d,"
              + "\"peak_resident_bytes\":%d}%n",
          cost.seconds(),
          cost.cpuSeconds(),
          cost.checkpoints(),
          peakResidentBytes());
    }
  }

  /** The cost begins with the planned job, and ends when the cluster has run it to its end. */
  private Cost execute(MiniCluster cluster, TableDescriptor sink) throws Exception {
    final JobGraph job = plan(sink);
    final double cpuBefore = cpuSeconds();
    final long begun = System.nanoTime();
    cluster.executeJobBlocking(job);
    final double seconds = (System.nanoTime() - begun) / NANOS_PER_SECOND;
    final double cpu = cpuSeconds() - cpuBefore;
    final var checkpoints =
        cluster.getArchivedExecutionGraph(job.getJobID()).get().getCheckpointStatsSnapshot();
    return new Cost(seconds, cpu, checkpoints.getCounts().getNumberOfCompletedCheckpoints());
  }

  private JobGraph plan(TableDescriptor sink) {
    final StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.getExecutionEnvironment(settings);
    final StreamTableEnvironment sql = StreamTableEnvironment.create(environment);
    tables.forEach(sql::executeSql);
    final StreamStatementSet statements = sql.createStatementSet();
    statements.add(sql.sqlQuery(query).insertInto(sink));
    statements.attachAsDataStream();
    return environment.getStreamGraph().getJobGraph();
  }

  private static double cpuSeconds() {
    final var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getProcessCpuTime() / NANOS_PER_SECOND;
  }

  private static long peakResidentBytes() throws IOException {
    for (final String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
      }
    }
    throw new IOException("/proc/self/status has no VmHWM");
  }
}
