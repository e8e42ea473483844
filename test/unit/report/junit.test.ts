import test from 'ava'
import { junitReport } from '../../../src/report/junit.ts'

test('a boot becomes a suite, its checks become cases', (t) => {
  const report = junitReport('a&b.img', [
    {
      status: 'failed',
      firmware: 'uefi',
      accel: 'tcg',
      durationMs: 12_345,
      serialLog: 'boot/a.log',
      checks: [
        { name: 'console', status: 'passed', detail: 'after 3 s' },
        { name: 'shell', status: 'failed', detail: 'said "<no>"\n\u001B[0mtwice' },
        { name: 'kernel', status: 'not-run', detail: 'ended before' },
      ],
    },
  ])
  t.is(
    report,
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="a&amp;b.img uefi" tests="3" failures="1" errors="0" skipped="1" time="12.345">
    <properties>
      <property name="accelerator" value="tcg"/>
      <property name="serial-log" value="boot/a.log"/>
    </properties>
    <testcase classname="a&amp;b.img uefi" name="console"><system-out>after 3 s</system-out></testcase>
    <testcase classname="a&amp;b.img uefi" name="shell"><failure message="said &quot;&lt;no&gt;&quot;&#10;[0mtwice"/></testcase>
    <testcase classname="a&amp;b.img uefi" name="kernel"><skipped message="ended before"/></testcase>
  </testsuite>
</testsuites>
`,
  )
})
