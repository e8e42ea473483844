import type { BootResult, CheckResult } from '../core/boot/boot-result.ts'

/**
 * Boot results as a JUnit XML report (the de-facto schema that CI servers read): one suite a boot,
 * one case a check.
 */
export function junitReport(imageName: string, boots: readonly BootResult[]): string {
  const suites = boots.flatMap((boot) => {
    const name = `${imageName} ${boot.firmware}`
    const count = (status: CheckResult['status']): number =>
      boot.checks.filter((check) => check.status === status).length
    return [
      `  <testsuite name="${escapeXml(name)}" tests="${boot.checks.length}" failures="${count('failed')}"` +
        ` errors="0" skipped="${count('not-run')}" time="${seconds(boot.durationMs)}">`,
      '    <properties>',
      `      <property name="accelerator" value="${boot.accel}"/>`,
      `      <property name="serial-log" value="${escapeXml(boot.serialLog)}"/>`,
      '    </properties>',
      ...boot.checks.map((check) => testCase(name, check)),
      '  </testsuite>',
    ]
  })
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>', ''].join('\n')
}

function testCase(className: string, check: CheckResult): string {
  const head = `    <testcase classname="${escapeXml(className)}" name="${escapeXml(check.name)}"`
  const detail = escapeXml(check.detail)
  switch (check.status) {
    case 'passed':
      return `${head}><system-out>${detail}</system-out></testcase>`
    case 'failed':
      return `${head}><failure message="${detail}"/></testcase>`
    case 'not-run':
      return `${head}><skipped message="${detail}"/></testcase>`
  }
}

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3)

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
}

/** Also drops control characters, which XML cannot hold in any form. */
const escapeXml = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F\uFFFE\uFFFF]/g, '')
    .replaceAll(/[&<>"\n]/g, (character) => entities[character] ?? '')
