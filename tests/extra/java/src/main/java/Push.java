// Pushes by Java's two client libraries, as each does when nothing else is said.
//
// usage: Push LIBRARY HOST:PORT JOB, where LIBRARY is new, newtext, newdelete, old or olddelete

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.core.metrics.StateSet;
import io.prometheus.metrics.core.metrics.Summary;
import io.prometheus.metrics.exporter.pushgateway.Format;
import io.prometheus.metrics.exporter.pushgateway.PushGateway;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.Map;

public class Push {
  enum State { ON, OFF }

  static PrometheusRegistry registry() {
    PrometheusRegistry all = new PrometheusRegistry();
    Counter counter = Counter.builder().name("jobs_total").help("Jobs.").labelNames("kind").register(all);
    counter.labelValues("a\"b\\c\nd").inc(3);
    counter.labelValues("ж").incWithExemplar(2, Labels.of("trace_id", "abc"));
    Gauge.builder().name("temperature_celsius").unit(Unit.CELSIUS).register(all).set(-1.5);
    Histogram both = Histogram.builder().name("took_seconds").unit(Unit.SECONDS).register(all);
    Histogram classic = Histogram.builder().name("classic_seconds").classicOnly()
        .classicUpperBounds(0.5, 1, 10).register(all);
    Histogram nativeOnly = Histogram.builder().name("native_seconds").nativeOnly().register(all);
    Summary summary = Summary.builder().name("size_bytes").quantile(0.5, 0.01).register(all);
    for (int n = 0; n < 100; n++) {
      both.observe(n / 10.0);
      classic.observeWithExemplar(n / 10.0, Labels.of("trace_id", "t" + n));
      nativeOnly.observe(n / 10.0);
      summary.observe(n);
    }
    Info.builder().name("build_info").labelNames("version").register(all).setLabelValues("1.0");
    StateSet.builder().name("feature").states(State.class).register(all).setTrue("ON");
    return all;
  }

  static PushGateway gateway(String address, String job, Format format) {
    PushGateway.Builder builder = PushGateway.builder().address(address).job(job)
        .groupingKey("path", "/var/tmp").groupingKey("zone", "ж").registry(registry());
    return (format == null ? builder : builder.format(format)).build();
  }

  static void pushOld(String address, String job, boolean deletes) throws Exception {
    io.prometheus.client.CollectorRegistry all = new io.prometheus.client.CollectorRegistry();
    io.prometheus.client.Counter.build().name("jobs").help("Jobs.").register(all).inc(3);
    io.prometheus.client.Histogram.build().name("took_seconds").help("Times.").register(all).observe(0.7);
    io.prometheus.client.Summary.build().name("size_bytes").help("Sizes.").quantile(0.5, 0.01)
        .register(all).observe(2);
    var gateway = new io.prometheus.client.exporter.PushGateway(address);
    var key = Map.of("path", "/var/tmp");
    if (deletes) {
      gateway.delete(job, key);
      return;
    }
    gateway.push(all, job, key);
    gateway.pushAdd(all, job, key);
  }

  public static void main(String[] arguments) throws Exception {
    String library = arguments[0];
    String address = arguments[1];
    String job = arguments[2];
    switch (library) {
      case "new" -> {
        PushGateway gateway = gateway(address, job, null);
        gateway.push();
        gateway.pushAdd();
      }
      case "newtext" -> gateway(address, job, Format.PROMETHEUS_TEXT).push();
      case "newdelete" -> gateway(address, job, null).delete();
      case "old" -> pushOld(address, job, false);
      case "olddelete" -> pushOld(address, job, true);
      default -> throw new IllegalArgumentException(library);
    }
  }
}
