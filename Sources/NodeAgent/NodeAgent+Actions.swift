// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Logging

/// The shell of the task controllers: their actions become jobs of the agent's task group, and come back as events.
extension NodeAgent {
  func perform(_ actions: [TaskController.Action], of id: String) async {
    // First, because everything else can wait for it.
    if actions.contains(.withdraw) { await traffic.withdraw(id) }
    for action in actions { begin(action, of: id) }
    if containersOnOverlays != attended { attendWake.yield() }
  }

  private func begin(_ action: TaskController.Action, of id: String) {
    guard let task = controllers[id]?.task, let calls else { return }
    switch action {
    case .report(let status): report(status, of: id)
    case .prepare:
      let (subnet, networks, overlays, payloads) = (ingressSubnet, networks, overlays, payloads)
      operate(id) {
        let prepared = await calls.prepare(
          task, on: .init(subnet: subnet, mtu: await networks.packetSize, overlays: overlays, payloads: payloads))
        if !task.addresses.isEmpty { await networks.bridgesChanged() }
        return .prepared(prepared)
      }
    case .start(let container):
      let payloads = payloads
      operate(id) { .started(await calls.start(task, container, on: .init(payloads: payloads))) }
    case .stop(let container):
      operate(id) { [traffic] in
        let patience = Labels.drainTimeout(in: task.template.serviceLabels)
        await traffic.seeOut(id, at: task.ingressAddress, patience: patience) { _ in try await calls.process(of: container) }
        return .stopped(await calls.stop(task, container))
      }
    case .remove(let container): operate(id) { .removed(await calls.remove(container)) }
    case .cancel: operations[id]?.send()
    case .probe(let address, let ports, let patience): probe(id, address, ports, patience)
    case .stopProbe: probes.removeValue(forKey: id)?.send()
    case .wake(let time): wake(id, at: time)
    case .forget: forget(id)
    case .withdraw: break
    }
  }

  private func operate(_ id: String, _ body: @escaping @Sendable () async -> TaskController.Event) {
    let signal = Signal()
    operations[id] = signal
    addJob.yield { [weak self] in
      // An answer to an agent that is ending would be taken for a task's failure.
      guard let event = await signal.cancelling(body), let self, !Task.isCancelled else { return }
      await self.deliver(event, to: id)
    }
  }

  private func report(_ status: TaskStatus, of id: String) {
    log(status, of: controllers[id]?.task.name ?? id)
    if status.state.isTerminal { calls?.removeFiles(ofTask: id) }
    outbox.add(status, of: id)
    statusWake.yield()
  }

  private func log(_ status: TaskStatus, of name: String) {
    let isNews = status.state >= .running && !status.isReady
    var details: Logger.Metadata = ["task": "\(name)", "state": "\(status.state.name)"]
    if !status.err.isEmpty { details["error"] = "\(status.err)" }
    logger.log(level: isNews ? .info : .debug, "task changed", metadata: details)
  }

  private func probe(_ id: String, _ address: IPv4Address, _ ports: [UInt16], _ patience: Duration) {
    let signal = Signal()
    probes[id] = signal
    addJob.yield { [weak self, clock] in
      let accepted = await signal.cancelling {
        await TCPProbe.untilAccepting(address, ports: ports, patience: patience, clock: clock)
      }
      guard accepted == true, let self else { return }
      await self.deliver(.accepting, to: id)
    }
  }

  private func wake(_ id: String, at time: Duration) {
    addJob.yield { [weak self, clock] in
      do { try await clock.sleep(time - clock.now().uptime) } catch { return }
      await self?.deliver(.tick, to: id)
    }
  }

  private func forget(_ id: String) {
    let wasOnOverlays = controllers.removeValue(forKey: id)?.task.addresses.isEmpty == false
    // The last task of a network takes the node's part of it along.
    if wasOnOverlays { addJob.yield { [weak self] in await self?.removeUnusedOverlays() } }
    operations[id] = nil
    probes.removeValue(forKey: id)?.send()
    outbox.forget(id)
    calls?.removeFiles(ofTask: id)
  }
}
